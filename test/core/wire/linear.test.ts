/**
 * That hostile bytes cost what their number says: each parser of first bytes is given shapes that have made parsers
 * slow, so many bytes of them and four times as many. Work is counted where it is bytes that are looked at; what is
 * done in regular expressions and strings shows in the processor's time alone, of which the least of many runs is
 * compared. Four times the bytes may cost up to ten times as much: quadratic work costs sixteen times.
 */
import { describe, expect, it } from 'vitest';
import { addressWords } from '../../../src/core/addresses.ts';
import { Router } from '../../../src/core/router.ts';
import { ClientHelloReader } from '../../../src/core/wire/client-hello.ts';
import { authorityHost, hostName } from '../../../src/core/wire/host-name.ts';
import { HttpHeadReader, requestLine } from '../../../src/core/wire/http.ts';
import { ProtocolDetector } from '../../../src/core/wire/protocol-detector.ts';
import { ProxyHeaderParser } from '../../../src/core/wire/proxy-reading.ts';
import { readTlvs } from '../../../src/core/wire/proxy-tlv.ts';
import { v2Signature } from '../../../src/core/wire/proxy-v2.ts';
import { nothingYet, Sniffer } from '../../../src/core/wire/sniffer.ts';
import { text, utf8Text } from '../../../src/core/wire/text.ts';
import { to } from '../explain/plans.ts';
import { freshLedger } from '../harness.ts';
import { bytesOf, looksByteByByte, type Reader } from './feeding.ts';
import { alpn, type Extension, helloMessage, inRecords, serverName } from './hello.ts';

/** As much as a listener looks at by default (`inspect.maxBytes`), and a quarter of it. */
const manyBytes = 16 * 1024;
const fewBytes = manyBytes / 4;

/** As many of the text as fill so many bytes. */
const full = (some: string, bytes: number) => some.repeat(Math.ceil(bytes / some.length)).slice(0, bytes);
const field = (value: string) => `GET / HTTP/1.1\r\n${value}\r\n\r\n`;

/** Bytes by how many of them there should be, about. */
const shapes: Readonly<Record<string, (bytes: number) => string | Uint8Array>> = {
  'a Host of spaces': (bytes) => field(`Host:${full(' ', bytes)}a b`),
  'a Host between spaces': (bytes) => field(`Host:${full(' ', bytes / 2)}a b${full(' ', bytes / 2)}`),
  'a Host of tabs and letters': (bytes) => field(`Host:${full('\ta', bytes)}`),
  'a Host of colons': (bytes) => field(`Host: ${full(':', bytes)}`),
  'a Host of dots': (bytes) => field(`Host: ${full('a.', bytes)}`),
  'a Host of commas': (bytes) => field(`Host: ${full('a,', bytes)}`),
  'a Host of digits behind a colon': (bytes) => field(`Host: a:${full('1', bytes)}`),
  'a Host of brackets': (bytes) => field(`Host: ${full('[', bytes)}`),
  'a Host of colons in brackets': (bytes) => field(`Host: [${full('1:', bytes)}]`),
  'a long name': (bytes) => field(`Host: ${full('a', bytes)}`),
  'a long field': (bytes) => field(`X: ${full(' ', bytes)}x`),
  'a long field name': (bytes) => field(`${full('a', bytes)}: x`),
  'many short fields': (bytes) => field(full('a:\r\n', bytes)),
  'many fields behind LF alone': (bytes) => `GET / HTTP/1.1\nHost: a\n${full('a:\n', bytes)}\n`,
  'empty lines': (bytes) => full('\r\n', bytes),
  blanks: (bytes) => full(' \t', bytes),
  'a long method': (bytes) => `${full('G', bytes)} / HTTP/1.1\r\n`,
  'a wide gap': (bytes) => `GET${full(' ', bytes)}/ HTTP/1.1\r\n`,
  'a long target': (bytes) => `GET /${full('a', bytes)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a target of spaces': (bytes) => `GET /${full(' ', bytes)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a target of versions': (bytes) => `GET a${full(' HTTP', bytes)}\r\n`,
  'a long authority': (bytes) => `GET http://${full('a.', bytes)}/ HTTP/1.1\r\nHost: a\r\n\r\n`,
  'an authority of slashes': (bytes) => `GET http:${full('/', bytes)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a long scheme': (bytes) => `GET ${full('a+', bytes)}: HTTP/1.1\r\n`,
  'a long version': (bytes) => `GET / HTTP/${full('1.', bytes)}\r\n`,
  'CONNECT to colons': (bytes) => `CONNECT a${full(':1', bytes)} HTTP/1.1\r\n\r\n`,
  'an array of redis': (bytes) => full('*1\r\n$1\r\na\r\n', bytes),
  'an array of redis without an end': (bytes) => `*${full('1', bytes)}`,
  'a command of redis': (bytes) => `PING ${full('a', bytes)}`,
  'a version line of ssh': (bytes) => `SSH-2.0-${full('x', bytes)}`,
  'a packet of postgres': (bytes) => `\0\0\x27\x10\0\x03\0\0${full('a\0', bytes)}`,
  'a long proxy line': (bytes) => `PROXY TCP4 ${full('1', bytes)}`,
  // In more than one record, so that it has to be put together whatever its length.
  'a hello with one long extension': (bytes) =>
    inRecords(helloMessage({ extensions: filled(1, bytes) }), [900]),
  'a hello with many extensions': (bytes) =>
    inRecords(helloMessage({ extensions: filled(Math.floor(bytes / 4), 0) })),
  'a hello with many protocols': (bytes) =>
    inRecords(helloMessage({ extensions: [alpn(...new Array<string>(bytes / 2 - 9).fill('x'))] })),
  'a hello with a long name': (bytes) =>
    inRecords(helloMessage({ extensions: [serverName(full('a.', bytes))] })),
  'a hello in records of a byte': (bytes) =>
    inRecords(helloMessage({ extensions: filled(1, Math.floor(bytes / 6)) }), [1]),
  'a record that is never full': (bytes) =>
    inRecords(helloMessage({ extensions: filled(1, bytes) }), [900]).subarray(0, -1),
};

function filled(count: number, bytes: number): readonly Extension[] {
  return Array.from(
    { length: Math.min(count, 15_000) },
    () => [21, new Array<number>(bytes).fill(0)] as const,
  );
}

/** A version 2 header, whose whole is at most 4 KiB. */
const tlvs = (bytes: number) =>
  Uint8Array.from({ length: bytes - (bytes % 3) }, (_, at) => (at % 3 === 0 ? 0x04 : 0));
const nested = (bytes: number) =>
  Uint8Array.of(0x20, (bytes - 3) >> 8, (bytes - 3) & 0xff, 0, 0, 0, 0, 0, ...tlvs(bytes - 8));

/** What else reads what strangers wrote. */
const texts: Readonly<Record<string, readonly [read: (bytes: number) => unknown, few: number]>> = {
  'ascii text': [(bytes) => text(new Uint8Array(bytes).fill(65), 0, bytes), fewBytes],
  'utf8 text': [(bytes) => utf8Text(new Uint8Array(bytes).fill(65)), fewBytes],
  'utf8 text that is none': [(bytes) => utf8Text(new Uint8Array(bytes).fill(0xc3)), fewBytes],
  'host name of dots': [(bytes) => hostName(full('a.', bytes)), fewBytes],
  'authority of colons': [(bytes) => authorityHost(full('a:', bytes)), fewBytes],
  'request line of spaces': [(bytes) => requestLine(`GET ${full(' ', bytes)}`), fewBytes],
  'request line of targets': [(bytes) => requestLine(`GET ${full('/ ', bytes)}HTTP/1.1`), fewBytes],
  'address of colons': [(bytes) => addressWords(full(':', bytes)), fewBytes],
  'address of digits': [(bytes) => addressWords(`${full('1', bytes)}:`), fewBytes],
  'address of dots': [(bytes) => addressWords(full('1.', bytes)), fewBytes],
  'address of zones': [(bytes) => addressWords(`::${full('%a', bytes)}`), fewBytes],
  'type-length-values': [(bytes) => readTlvs(tlvs(bytes), 0), 1_000],
  'nested type-length-values': [(bytes) => readTlvs(nested(bytes), 0), 1_000],
  'header of version 2': [
    (bytes) =>
      new ProxyHeaderParser().read(
        Uint8Array.of(...v2Signature, 0x21, 0x11, bytes >> 8, bytes & 0xff, ...tlvs(bytes)),
      ),
    1_000,
  ],
};

const readers: Readonly<Record<string, () => Reader<unknown>>> = {
  Sniffer: () => new Sniffer(),
  ProtocolDetector: () => new ProtocolDetector(),
  HttpHeadReader: () => new HttpHeadReader(),
  ClientHelloReader: () => new ClientHelloReader(),
  ProxyHeaderParser: () => new ProxyHeaderParser(),
};

describe.each(Object.entries(readers))('%s', (_, reader) => {
  it.each(Object.entries(shapes))('looks at each byte of %s a few times, however they come', (_, shape) => {
    const bytes = asBytes(shape(4_000));
    const looks = looksByteByByte(reader(), bytes).reduce((sum, count) => sum + count, 0);
    // A line once for its end and once for what it says; records are looked at to be put together, too.
    expect(looks).toBeLessThanOrEqual(4 * bytes.length);
  });
});

describe('The time that is taken', () => {
  it.each(Object.entries(shapes))('by %s grows with the bytes', (_, shape) => {
    const [few, many] = [asBytes(shape(fewBytes)), asBytes(shape(manyBytes))];
    const look = (bytes: Uint8Array) => {
      new Sniffer().read(bytes);
      new ProxyHeaderParser().read(bytes);
    };
    expectLinear(
      () => look(few),
      () => look(many),
    );
  });

  it.each(Object.entries(texts))('by the reader of %s grows with the bytes', (_, [read, bytes]) => {
    expectLinear(
      () => read(bytes),
      () => read(4 * bytes),
    );
  });

  it('by routes does not grow with what a hello offers, for each of them', () => {
    const router = new Router(
      Array.from({ length: 1_000 }, (_, index) => to(1, { alpn: [`h${index}`] })),
      freshLedger(),
    );
    const offering = (count: number) => ({
      ...nothingYet,
      alpn: Array.from({ length: count }, () => 'x'),
      isHelloFinal: true,
      isFinal: true,
    });
    const [few, many] = [offering(2_000), offering(8_000)];
    expectLinear(
      () => router.decide(undefined, few),
      () => router.decide(undefined, many),
    );
  });
});

function asBytes(said: string | Uint8Array): Uint8Array {
  return typeof said === 'string' ? bytesOf(said) : said;
}

/**
 * The least time of many runs, which a busy machine can only lengthen: it has this many chances to be quick. Four runs
 * of the few bytes are about one of the many; one and a half times as much again is let pass.
 */
function expectLinear(few: () => unknown, many: () => unknown): void {
  const least = { few: Number.POSITIVE_INFINITY, many: Number.POSITIVE_INFINITY };
  for (let round = 0; round < 60; round++) {
    least.few = Math.min(
      least.few,
      timeOf(() => [few(), few(), few(), few()]),
    );
    least.many = Math.min(least.many, timeOf(many));
    if (round >= 4 && least.many < 2.5 * least.few) return;
  }
  expect(least.many).toBeLessThan(2.5 * least.few);
}

function timeOf(run: () => unknown): number {
  const since = performance.now();
  run();
  return performance.now() - since;
}
