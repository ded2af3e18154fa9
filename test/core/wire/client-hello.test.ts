import { describe, expect, it } from 'vitest';
import { ClientHelloReader } from '../../../src/core/wire/client-hello.ts';
import { captures } from './captures.ts';
import { byteByByte, inPieces, looksByteByByte } from './feeding.ts';
import {
  alpn,
  ascii,
  type Extension,
  filler,
  hello,
  helloMessage,
  inRecords,
  message,
  record,
  type Shape,
  serverName,
  uint16,
  vector8,
  vector16,
} from './hello.ts';

const incomplete = { state: 'incomplete' };
const mismatch = { state: 'mismatch' };
const found = (sni: string | undefined, protocols: readonly string[] = []) => ({
  state: 'complete',
  sni,
  alpn: protocols,
});
const read = (bytes: Uint8Array) => new ClientHelloReader().read(bytes);
const readExtensions = (...extensions: readonly Extension[]) => read(hello({ extensions }));

/** What the largest hellos of today carry: a key share of X25519MLKEM768. */
const keyShare: Extension = [51, vector16([...uint16(0x11ec), ...vector16(filler(1216))])];
const named = [serverName('a.example.com'), alpn('h2')];

describe('ClientHelloReader', () => {
  const hellos = captures.filter(({ protocol }) => protocol === 'tls');

  it.each(hellos)('reads what $name says, whole and byte by byte', ({ bytes, sni, alpn }) => {
    const expected = found(sni ?? undefined, alpn ?? []);
    expect(read(bytes)).toEqual(expected);
    const answers = byteByByte(new ClientHelloReader(), bytes);
    expect(answers.slice(0, bytes.length - 1)).toEqual(new Array(bytes.length - 1).fill(incomplete));
    expect(answers.slice(bytes.length - 1)).toEqual([expected, expected]);
  });

  it.each(hellos)('reads $name in two halves, wherever they part', ({ bytes, sni }) => {
    for (let end = 0; end <= bytes.length; end++) {
      expect(inPieces(new ClientHelloReader(), bytes, [end])).toMatchObject({ sni: sni ?? undefined });
    }
  });

  it.each(hellos)('looks at no byte of $name twice', ({ bytes }) => {
    expect(Math.max(...looksByteByByte(new ClientHelloReader(), bytes))).toBe(1);
  });

  it.each([1, 2, 3, 4, 5, 100, 1000])('puts a hello together from records of %i bytes', (size) => {
    const bytes = inRecords(helloMessage({ extensions: [keyShare, ...named] }), [size]);
    expect(read(bytes)).toEqual(found('a.example.com', ['h2']));
    expect(byteByByte(new ClientHelloReader(), bytes).at(-1)).toEqual(found('a.example.com', ['h2']));
    expect(byteByByte(new ClientHelloReader(), bytes).at(-3)).toEqual(incomplete);
    // Lengths of records are looked at again when the message is put together.
    expect(Math.max(...looksByteByByte(new ClientHelloReader(), bytes))).toBeLessThanOrEqual(2);
  });

  it('reads post-quantum hellos of more than 1,700 bytes', () => {
    const bytes = hello({ extensions: [keyShare, [21, filler(500)], ...named] });
    expect(bytes.length).toBeGreaterThan(1700);
    expect(byteByByte(new ClientHelloReader(), bytes).at(-1)).toEqual(found('a.example.com', ['h2']));
  });

  it('passes over GREASE wherever it may stand (RFC 8701)', () => {
    const extensions: readonly Extension[] = [
      [0x0a0a, []],
      ...[serverName('a.example.com'), alpn('\x1a\x1a', 'h2')],
      [43, vector8([...uint16(0x2a2a), ...uint16(0x0304)])],
      [0xfafa, [0]],
    ];
    const bytes = hello({ cipherSuites: [0x3a3a, 0x1301], extensions });
    expect(read(bytes)).toEqual(found('a.example.com', ['\x1a\x1a', 'h2']));
  });

  it('reads the outer name of a hello with Encrypted Client Hello', () => {
    const ech: Extension = [
      0xfe0d,
      [0, ...uint16(1), ...uint16(1), 7, ...vector16(filler(32)), ...vector16(filler(200))],
    ];
    expect(readExtensions(ech, serverName('public.example.com'))).toEqual(found('public.example.com'));
  });

  it('takes hellos without extensions, with none of them, and without a session', () => {
    expect(read(hello())).toEqual(found(undefined));
    expect(read(hello({ extensions: [] }))).toEqual(found(undefined));
    expect(read(hello({ sessionId: 0, extensions: named }))).toEqual(found('a.example.com', ['h2']));
  });

  it.each([0x0300, 0x0301, 0x0302, 0x0303, 0x0304])('takes records of version %i', (version) => {
    expect(read(Uint8Array.from(record(helloMessage(), 22, version)))).toEqual(found(undefined));
  });

  it('writes names in lower case, without the last dot, and leaves A-labels as they are', () => {
    expect(readExtensions(serverName('WWW.Example.COM.'))).toEqual(found('www.example.com'));
    expect(readExtensions(serverName('xn--bcher-kva.example'))).toEqual(found('xn--bcher-kva.example'));
    expect(readExtensions(serverName('192.0.2.1'))).toEqual(found('192.0.2.1'));
  });

  it('does not mind what follows the record of the hello', () => {
    const early = Uint8Array.from([...hello({ extensions: named }), ...record([1], 20), 23, 3]);
    expect(read(early)).toEqual(found('a.example.com', ['h2']));
  });

  it.each([
    ['another record than handshake', record(helloMessage(), 23)],
    ['another major version', record(helloMessage(), 22, 0x0401)],
    ['an empty record', record([])],
    [
      'an empty record between two others',
      [...record([1]), ...record([]), ...record(helloMessage().slice(1))],
    ],
    ['another record between two of the hello', [...record([1]), ...record([1], 20)]],
    ['a record longer than 16 KiB', record(filler(2 ** 14 + 1))],
    ['another message than ClientHello', record(message([], 2))],
    ['a message longer than 64 KiB', record([1, 1, 0, 0])],
    ['an empty message', record(message([]))],
    ['something behind the message in its record', record([...helloMessage(), 1])],
    [
      'something behind the message in its second record',
      [...record([1]), ...record([...helloMessage().slice(1), 1])],
    ],
    ['SSLv2', [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10]],
  ])('takes for no hello: %s', (_, bytes) => {
    expect(read(Uint8Array.from(bytes))).toEqual(mismatch);
    expect(byteByByte(new ClientHelloReader(), Uint8Array.from(bytes)).at(-1)).toEqual(mismatch);
  });

  it('takes a record of 16 KiB', () => {
    const bytes = record([...message(filler(2 ** 14))].slice(0, 2 ** 14));
    expect(read(Uint8Array.from(bytes))).toEqual(incomplete);
  });

  it('refuses a claim as soon as it was read', () => {
    expect(read(Uint8Array.from([22, 3, 1, 0x40, 1]))).toEqual(mismatch);
    expect(read(Uint8Array.from([22, 3, 1, 0x40, 0]))).toEqual(incomplete);
    expect(read(Uint8Array.from([22, 3, 1, 0x40, 0, 1, 1]))).toEqual(mismatch);
    expect(read(Uint8Array.from([22, 3, 1, 0, 8, 1, 0, 0, 3]))).toEqual(mismatch);
    expect(read(Uint8Array.from([22, 3, 1, 0, 8, 1, 0, 0, 4]))).toEqual(incomplete);
  });

  const shapes: readonly [string, Shape][] = [
    ['another major version', { version: 0x0203 }],
    ['a session id of 33 bytes', { sessionId: 33 }],
    ['no cipher suites', { cipherSuites: [] }],
    ['no compression method', { compressions: [] }],
    ['two server names', { extensions: [serverName('a.test'), alpn('h2'), serverName('a.test')] }],
    ['ALPN twice', { extensions: [alpn('h2'), alpn('h2')] }],
    ['an empty server name extension', { extensions: [[0, []]] }],
    ['an empty list of server names', { extensions: [[0, vector16([])]] }],
    ['an empty server name', { extensions: [serverName('')] }],
    ['a server name of an unknown type', { extensions: [serverName('a.test', 1)] }],
    ['a NUL in the server name', { extensions: [serverName('a.test\0.b.test')] }],
    ['letters beyond ASCII', { extensions: [serverName('bücher.test')] }],
    ['something behind the server name list', { extensions: [[0, [...serverName('a.test')[1], 0]]] }],
    [
      'a second name in the list',
      { extensions: [[0, vector16([0, ...vector16(ascii('a')), 0, ...vector16(ascii('b'))])]] },
    ],
    ['a name longer than its list', { extensions: [[0, [0, 4, 0, 0, 2, 0x61]]] }],
    ['a list longer than its extension', { extensions: [[0, [0, 5, 0, 0, 1, 0x61]]] }],
    ['an empty list of protocols', { extensions: [alpn()] }],
    ['an empty protocol name', { extensions: [alpn('h2', '')] }],
    ['a protocol name longer than its list', { extensions: [[16, [0, 3, 3, 0x68, 0x32]]] }],
    ['something behind the list of protocols', { extensions: [[16, [0, 3, 2, 0x68, 0x32, 0]]] }],
  ];

  it.each(shapes)('takes for no hello: one with %s', (_, shape) => {
    expect(read(hello(shape))).toEqual(mismatch);
  });

  it('takes for no hello: an odd length of cipher suites, and one that is cut anywhere', () => {
    const odd = [3, 3, ...filler(32), 0, ...vector16([0x13, 1, 0]), ...vector8([0])];
    expect(read(inRecords(message(odd)))).toEqual(mismatch);
    const body = helloMessage({ extensions: named }).slice(4);
    const beforeExtensions = helloMessage().length - 4;
    for (let end = 0; end < body.length; end++) {
      const expected = end === beforeExtensions ? found(undefined) : mismatch;
      expect(read(inRecords(message(body.slice(0, end))))).toEqual(expected);
    }
    expect(read(inRecords(message([...body, 0])))).toEqual(mismatch);
  });

  it.each([
    ['an extension longer than what is left', [...uint16(43), ...uint16(3), 1, 2]],
    ['half an extension header', [...uint16(43), 0]],
    ['a stray byte behind the last', [...uint16(43), ...uint16(1), 1, 0]],
  ])('takes for no hello: extensions with %s', (_, content) => {
    const body = [...helloMessage().slice(4), ...vector16(content)];
    expect(read(inRecords(message(body)))).toEqual(mismatch);
  });

  it('keeps its answer', () => {
    const reader = new ClientHelloReader();
    expect(reader.read(Uint8Array.from([23]))).toEqual(incomplete);
    expect(reader.read(Uint8Array.from(record([1], 23)))).toEqual(mismatch);
    expect(reader.read(hello())).toEqual(mismatch);
  });
});
