/**
 * What clients of this world say. Beside the bytes stands what they mean, and from how many of them on that is
 * certain: written down by hand, so that nothing here is learned from what is tested.
 */
import type { Client } from '../../src/core/contract.ts';
import type { Protocol } from '../../src/core/wire/protocol.ts';
import { encodeLocalHeader, encodeProxyHeader } from '../../src/core/wire/proxy-writing.ts';
import { alpn, hello, serverName } from '../core/wire/hello.ts';
import type { Dice } from './dice.ts';
import { addresses } from './neighbourhood.ts';

/** All that a route can ask about, null for what is not there. */
export interface Meaning {
  readonly protocol: Protocol;
  readonly sni: string | null;
  readonly alpn: readonly string[] | null;
  readonly httpHost: string | null;
}

export interface Words {
  readonly bytes: Uint8Array;
  readonly meaning: Meaning;
  /** From how many bytes on each is known. */
  readonly knownAt: Readonly<Record<keyof Meaning, number>>;
}

export interface Announcement {
  readonly client: Client;
  readonly destination: Client;
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
export function drawSpeech(dice: Dice, isBehindProxy: boolean): Speech {
  return {
    header: dice.chance(isBehindProxy ? 0.75 : 0.1)
      ? dice.one(dice.chance(0.85) ? goodHeaders : brokenHeaders)
      : undefined,
    words: dice.chance(0.2) ? silence : dice.one(allWords),
    secret: dice.chance(0.2) ? silence : dice.one(allWords),
    share: dice.chance(0.7) ? 1 : dice.random(),
  };
}

/** What a header is to those who believe in none. */
export function asWords({ header, words }: Speech): Words {
  if (header === undefined) return words;
  const meaning = { protocol: 'unknown', sni: null, alpn: null, httpHost: null } as const;
  // `PROXY ` is a word of letters, so it takes one more; what opens version 2 begins no protocol.
  return said([...header.bytes, ...words.bytes], meaning, header.begunAt === v1Signature.length ? 7 : 1);
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

/** `at`: when it is known what is spoken, and so which of the rest is not there. */
function said(bytes: Iterable<number>, meaning: Meaning, at: number): Words {
  const all = Uint8Array.from(bytes);
  const whole = all.length;
  const knownAt = {
    protocol: at,
    sni: meaning.protocol === 'tls' ? whole : at,
    alpn: meaning.protocol === 'tls' ? whole : at,
    httpHost: meaning.protocol === 'http' ? whole : at,
  };
  return { bytes: all, meaning, knownAt };
}

const nothing = { protocol: 'unknown', sni: null, alpn: null, httpHost: null } as const;

const silence: Words = said([], nothing, 1);

/** Some begin as a PROXY header does. */
const allWords: readonly Words[] = [
  ...['a.example', 'b.a.example', 'example', undefined].flatMap((name) =>
    [[], ['h2', 'http/1.1'], ['acme']].map((offered) => {
      const extensions = [
        ...(name === undefined ? [] : [serverName(name)]),
        ...(offered.length === 0 ? [] : [alpn(...offered)]),
      ];
      const meaning = { ...nothing, protocol: 'tls', sni: name ?? null } as const;
      const offers = offered.length === 0 ? null : offered;
      return said(hello({ extensions }), { ...meaning, alpn: offers }, 6);
    }),
  ),
  ...['a.example', 'b.a.example', 'example'].flatMap((host) =>
    ['GET', 'POST'].map((method) => {
      const head = `${method} / HTTP/1.1\r\nHost: ${host}:80\r\nAccept: *\r\n\r\n`;
      return said(ascii(head), { ...nothing, protocol: 'http', httpHost: host }, method.length + 2);
    }),
  ),
  said(ascii('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), { ...nothing, protocol: 'http' }, 5),
  // At the second Host it is no head any more.
  said(ascii('GET / HTTP/1.1\r\nHost: a.example\r\nHost: example\r\n'), { ...nothing, protocol: 'http' }, 5),
  said(ascii('SSH-2.0-OpenSSH_9.9\r\n'), { ...nothing, protocol: 'ssh' }, 4),
  said(ascii('PING\r\n'), { ...nothing, protocol: 'redis' }, 5),
  said(ascii('\r\n\r\nhello there'), nothing, 1),
  said([0x16, 0x03, 0x01, 0x00, 0x20, 0x02, 0xff, 0xff], nothing, 6),
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
