/** What the tests of PROXY headers share: headers as bytes, a reader, and every way to break bytes into fragments. */
import fc from 'fast-check';
import type { ProxiedEnd, ProxiedEnds, ProxyParseResult } from '../../../src/core/wire/proxy-header.ts';
import { ProxyHeaderParser } from '../../../src/core/wire/proxy-reading.ts';
import type { SentTlvs } from '../../../src/core/wire/proxy-writing.ts';

export const signature = '0d0a0d0a000d0a515549540a';

/** Spaces are for the eye. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** The bytes of a version 2 header after its signature. */
export function v2(text: string): Uint8Array {
  return hex(signature + text);
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** What a parser says of bytes that come at once. */
export function read(bytes: Uint8Array): ProxyParseResult {
  return new ProxyHeaderParser().read(bytes);
}

/** What it says last where the bytes come in fragments that end at these places. */
export function readInFragments(bytes: Uint8Array, ends: readonly number[]): ProxyParseResult {
  const parser = new ProxyHeaderParser();
  for (const end of ends) parser.read(bytes.subarray(0, end));
  return parser.read(bytes);
}

/** Where each byte comes by itself. */
export function byteByByte(bytes: Uint8Array): readonly number[] {
  return Array.from(bytes.keys());
}

export const inet: ProxiedEnds = {
  client: { address: '192.0.2.1', port: 1234 },
  destination: { address: '192.0.2.2', port: 443 },
};

/** Headers that are good, by what is special about them. */
export const goodHeaders: readonly Uint8Array[] = [
  ascii('PROXY TCP4 254.254.254.254 1.2.3.4 65535 1234\r\n'),
  ascii('PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 0 65535\r\n'),
  ascii('PROXY UNKNOWN\r\n'),
  ascii(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`),
  v2('2111000c c0000201 c0000202 04d201bb'),
  v2('20000000'),
  v2('21110013 c0000201c000020204d201bb 030004 c91d6693'),
  v2(`213100d8 ${'2f61'.repeat(108)}`),
  v2('2111001c c0000201c000020204d201bb 2000080100000000 210000 020002 6162'),
];

export function anyFragments(bytes: Uint8Array) {
  return fc.array(fc.nat(bytes.length), { maxLength: 12 }).map((ends) => ends.sort((a, b) => a - b));
}

/** Good headers with bytes changed, put in, taken out, and payload behind. */
export function anyMutation() {
  const step = fc.tuple(fc.nat(300), fc.constantFrom('set', 'insert', 'delete'), anyByte());
  const start = fc.oneof(fc.constantFrom(...goodHeaders), fc.uint8Array({ maxLength: 40 }));
  return fc
    .tuple(start, fc.array(step, { maxLength: 4 }), fc.uint8Array({ maxLength: 120 }))
    .map(([header, steps, payload]) => {
      const bytes = [...header];
      for (const [where, how, byte] of steps) {
        const at = where % (bytes.length + 1);
        if (how === 'insert') bytes.splice(at, 0, byte);
        else if (how === 'delete') bytes.splice(at, 1);
        else bytes[at] = byte;
      }
      return Uint8Array.from([...bytes, ...payload]);
    });
}

/** Those that mean something in a header turn up more often. */
function anyByte() {
  return fc.oneof(fc.constantFrom(0, 1, 2, 3, 5, 0x0a, 0x0d, 0x11, 0x20, 0x21, 0x30, 0x3a), fc.nat(255));
}

/** Ends of an IP connection as clients have them: canonical, and IPv4 where it is mapped. */
export function anyInetEnds() {
  return fc.record({ client: anyInetEnd(), destination: anyInetEnd() });
}

export function anyUnixEnds() {
  return fc.record({ client: anyUnixEnd(), destination: anyUnixEnd() });
}

export function anyTlvs(): fc.Arbitrary<SentTlvs> {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  return fc.record(
    {
      authority: text,
      alpn: text,
      uniqueId: fc.uint8Array({ maxLength: 128 }),
      checksum: fc.boolean(),
    },
    { requiredKeys: [] },
  );
}

function anyInetEnd(): fc.Arbitrary<ProxiedEnd> {
  const address = fc.oneof(fc.ipV4(), fc.ipV6().map(canonical));
  return fc.record({ address, port: fc.nat(65535) });
}

/** As the URL standard writes it, and a mapped one as IPv4. */
function canonical(text: string): string {
  const written = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(written);
  if (mapped === null) return written;
  const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function anyUnixEnd(): fc.Arbitrary<ProxiedEnd> {
  const path = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !text.includes('\0'));
  return fc.option(path, { nil: undefined }).map((text) => {
    return { address: 'unix', port: 0, ...(text !== undefined && { path: `/${text}` }) };
  });
}
