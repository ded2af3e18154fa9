/**
 * What clients of this world say. Beside the bytes stands what they mean, and from how many of them on that is
 * certain: written down by hand, so that nothing here is learned from what is tested.
 */
import type { Protocol } from '../../src/core/wire/protocol.ts';
import { encodeLocalHeader, encodeProxyHeader } from '../../src/core/wire/proxy-writing.ts';
import { alpn, hello, serverName } from '../core/wire/hello.ts';
import type { Dice } from './dice.ts';
import { addresses } from './neighbourhood.ts';
import type { End } from './told.ts';

/** The names that a route can ask for: null for what is not there, undefined for what nobody can tell. */
export interface Names {
  readonly sni: string | null | undefined;
  readonly alpn: readonly string[] | null | undefined;
  readonly httpHost: string | null | undefined;
}

export interface Words {
  readonly bytes: Uint8Array;
  /** What may still be spoken, from how many bytes on; before the first of them, anything. */
  readonly left: readonly (readonly [from: number, ...protocols: Protocol[]])[];
  /** From all of the bytes. */
  readonly names: Names;
  /** Of what begins as a TLS record: from how many bytes on it is known what name the hello asks for, if any. */
  readonly helloAt?: number;
  /** So many bytes ask for TLS in the way of postgres; the rest is for those who agreed to it. */
  readonly request?: { readonly bytes: number; readonly then: Words };
}

export interface Announcement {
  readonly client: End;
  readonly destination: End;
  readonly authority?: string;
  readonly alpn?: string;
  readonly uniqueId?: string;
}

export interface Header {
  readonly bytes: Uint8Array;
  /** `own`: the client is who it seems. */
  readonly says: Announcement | 'own' | 'nonsense';
  /** How many bytes tell that it is a header, and how many tell what it says. */
  readonly begunAt: number;
  readonly decidedAt: number;
}

export interface Speech {
  readonly header: Header | undefined;
  readonly words: Words;
  /** Over TLS, once the handshake is done. */
  readonly secret: Words;
  /** The share of each that is ever said: many clients fall silent. */
  readonly share: number;
}

/** `isBehindProxy`: it is a client from which a header is to be expected. */
export function drawSpeech(
  dice: Dice,
  { isBehindProxy, speaksTls }: { readonly isBehindProxy: boolean; readonly speaksTls: boolean },
): Speech {
  return {
    header: dice.chance(isBehindProxy ? 0.75 : 0.1)
      ? dice.one(dice.chance(0.85) ? goodHeaders : brokenHeaders)
      : undefined,
    words: dice.chance(0.2) ? silence : dice.one(speaksTls && dice.chance(0.8) ? tlsWords : allWords),
    secret: dice.chance(0.2) ? silence : dice.one(allWords),
    share: dice.chance(0.7) ? 1 : dice.random(),
  };
}

/** What a header is to those who believe in none. */
export function asWords({ header, words }: Speech): Words {
  if (header === undefined) return words;
  const bytes = [...header.bytes, ...words.bytes];
  // Empty lines may come before a request, a zero may not.
  if (header.begunAt === v2Signature.length)
    return said(bytes, [
      [1, 'http', 'unknown'],
      [5, 'unknown'],
    ]);
  // A word, a space, and what could be a URL's scheme, up to the blank that ends it.
  const end = header.bytes.findIndex((byte, at) => at >= v1Signature.length && byte <= 0x20);
  return said(bytes, [
    [1, 'http', 'redis', 'unknown'],
    [2, 'http', 'unknown'],
    [end + 1, 'unknown'],
  ]);
}

/** Whether a header may begin so. */
export function mayBeHeader(bytes: Uint8Array): boolean {
  return [v1Signature, v2Signature].some((signature) =>
    bytes.every((byte, index) => index >= signature.length || byte === signature[index]),
  );
}

const v1Signature = ascii('PROXY ');
const v2Signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function said(bytes: Iterable<number>, left: Words['left'], names: Partial<Names> = {}): Words {
  const all = Uint8Array.from(bytes);
  if (all[0] !== 0x16) return { bytes: all, left, names: { ...nothing, ...names } };
  if (left === asTls) return { bytes: all, left, names: { ...nothing, ...names }, helloAt: all.length };
  // It begins as a hello and is none, so that nobody can tell whom it asks for.
  return { bytes: all, left, names: { ...nothing, sni: undefined }, helloAt: 6 };
}

const nothing = { sni: null, alpn: null, httpHost: null } as const;

const asTls: Words['left'] = [
  [1, 'tls', 'unknown'],
  [6, 'tls'],
];

const silence: Words = said([], []);

/** `letter`: from how many bytes on it may be nothing typed to redis; `target`: from how many on it is a request. */
function asHttp(letter: number, target: number): Words['left'] {
  return [
    [1, 'http', 'redis', 'unknown'],
    [letter, 'http', 'unknown'],
    [target, 'http'],
  ];
}

/** Some begin as a PROXY header does. */
const allWords: readonly Words[] = [
  ...['a.example', 'b.a.example', 'example', undefined].flatMap((name) =>
    [[], ['h2', 'http/1.1'], ['acme']].map((offered) => {
      const extensions = [
        ...(name === undefined ? [] : [serverName(name)]),
        ...(offered.length === 0 ? [] : [alpn(...offered)]),
      ];
      const names = { sni: name ?? null, alpn: offered.length === 0 ? null : offered };
      return said(hello({ extensions }), asTls, names);
    }),
  ),
  // A name that no host has, and two of them.
  ...[[serverName('a\0.example')], [serverName('a.example'), serverName('example')]].map((extensions) =>
    said(hello({ extensions }), asTls, { sni: undefined, alpn: undefined }),
  ),
  ...['a.example', 'b.a.example', 'example'].flatMap((host) => [
    said(ascii(`GET / HTTP/1.1\r\nHost: ${host}:80\r\nAccept: *\r\n\r\n`), asHttp(1, 5), { httpHost: host }),
    said(ascii(`POST / HTTP/1.1\r\nHost: ${host}:80\r\nAccept: *\r\n\r\n`), asHttp(2, 6), { httpHost: host }),
    said(ascii(`\r\n\nGET / HTTP/1.1\nHost: ${host}\n\n`), asHttp(1, 8), { httpHost: host }),
  ]),
  said(ascii('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), asHttp(2, 5), { httpHost: undefined }),
  // At the second Host it is known that nobody can tell; of two that differ, at the end.
  said(ascii('GET / HTTP/1.1\r\nHost: a.example\r\nHost: example\r\n'), asHttp(1, 5), {
    httpHost: undefined,
  }),
  said(ascii('GET http://a.example/ HTTP/1.1\r\nHost: example\r\n\r\n'), asHttp(1, 11), {
    httpHost: undefined,
  }),
  said(ascii('SSH-2.0-OpenSSH_9.9\r\n'), [
    [1, 'http', 'ssh', 'unknown'],
    [4, 'ssh'],
  ]),
  said(ascii('PING\r\n'), [
    [1, 'http', 'redis', 'unknown'],
    [5, 'redis'],
  ]),
  said(ascii('\r\n\r\nhello there\r\n'), [
    [1, 'http', 'unknown'],
    [16, 'unknown'],
  ]),
  said(
    [0x16, 0x03, 0x01, 0x00, 0x20, 0x02, 0xff, 0xff],
    [
      [1, 'tls', 'unknown'],
      [6, 'unknown'],
    ],
  ),
];

const hellos = allWords.filter(({ left }) => left === asTls);
const sslRequest = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const tlsWords: readonly Words[] = [
  ...hellos,
  ...hellos.slice(0, 3).map((then) => ({
    ...said(
      [...sslRequest, ...then.bytes],
      [
        [1, 'postgres', 'unknown'],
        [8, 'postgres'],
      ],
    ),
    request: { bytes: sslRequest.length, then },
  })),
];

const destination = { address: '203.0.113.9', port: 443 };

const goodHeaders: readonly Header[] = [
  ...addresses.flatMap((address, index) => {
    if (address === 'unix') {
      const ends = { client: { address, port: 0 }, destination: { address, port: 0 } };
      return [header(encodeProxyHeader('v2', ends), ends)];
    }
    const ends = { client: { address, port: 5_000 + index }, destination };
    const tlvs = { authority: 'said.example', alpn: 'h2', uniqueId: 'one-of-a-kind' };
    const sent = { ...tlvs, uniqueId: ascii(tlvs.uniqueId), checksum: true };
    return [
      header(encodeProxyHeader('v1', ends), ends),
      header(encodeProxyHeader('v2', ends), ends),
      header(encodeProxyHeader('v2', ends, sent), { ...ends, ...tlvs }),
    ];
  }),
  header(encodeLocalHeader('v1'), 'own'),
  header(encodeLocalHeader('v2'), 'own'),
];

const brokenHeaders: readonly Header[] = [
  header(ascii('PROXY TCP4 192.0.2.1 192.0.2.2 70000 443\r\n'), 'nonsense'),
  header(ascii('PROXY TCP4 192.0.2.1  192.0.2.2 700 443\r\n'), 'nonsense'),
  header(ascii(`PROXY UNKNOWN ${'x'.repeat(200)}\r\n`), 'nonsense', 107),
  header([...v2Signature, 0x22, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 1, 187], 'nonsense', 16),
  header([...v2Signature, 0x21, 0x11, 0, 4, 192, 0, 2, 1], 'nonsense', 16),
];

function header(bytes: Iterable<number>, says: Header['says'], decidedAt?: number): Header {
  const all = Uint8Array.from(bytes);
  const begunAt = all[0] === v1Signature[0] ? v1Signature.length : v2Signature.length;
  return { bytes: all, says, begunAt, decidedAt: decidedAt ?? all.length };
}
