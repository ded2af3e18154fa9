import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProxyHeaderParser } from '../../../src/core/wire/proxy-reading.ts';
import {
  anyFragments,
  anyMutation,
  ascii,
  byteByByte,
  goodHeaders,
  hex,
  join,
  read,
  readInFragments,
  signature,
  v2,
} from './proxy-samples.ts';

const incomplete = { state: 'incomplete' };
const mismatch = { state: 'mismatch' };

describe('ProxyHeaderParser', () => {
  it('wants more of no bytes, and of each beginning of a signature', () => {
    for (const whole of [ascii('PROXY '), hex(signature)]) {
      for (let end = 0; end <= whole.length; end++) expect(read(whole.subarray(0, end))).toEqual(incomplete);
    }
  });

  it('knows payload by the first byte that no signature has', () => {
    for (const whole of [ascii('PROXY '), hex(signature)]) {
      for (let at = 0; at < whole.length; at++) {
        const bytes = whole.slice(0, at + 1);
        bytes[at] = (bytes[at] ?? 0) ^ 0x80;
        expect(read(bytes)).toEqual(mismatch);
        expect(read(join(bytes, ascii('more')))).toEqual(mismatch);
      }
    }
  });

  it.each([
    'PROXYX',
    'PROXY\r\n',
    'PROXY\tTCP4 ',
    'proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
    ' PROXY TCP4 ',
    'PRI * HTTP/2.0\r\n',
    'POST / HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\n',
    '\r\nQUIT',
    '\r\n\r\n\0\r\nquit\n',
    'SSH-2.0-OpenSSH_9.2\r\n',
    '\x16\x03\x01\x02\x00\x01',
    '\0\0\0\x08\x04\xd2\x16\x2f',
  ])('takes %j for payload', (payload) => {
    expect(read(ascii(payload))).toEqual(mismatch);
  });

  it.each(['PROXY TCP4 999.1.1.1 1.1.1.1 1 1\r\n', 'PROXY \n', 'PROXY \r\n'])(
    'takes %j for a header that is broken',
    (line) => {
      expect(read(ascii(line))).toEqual({ state: 'broken' });
    },
  );

  it('has begun once a signature is whole, and not before', () => {
    for (const [whole, header] of [
      ['PROXY ', goodHeaders[0]],
      [hex(signature), goodHeaders[4]],
    ] as const) {
      for (let end = 0; end <= whole.length; end++) {
        const parser = new ProxyHeaderParser();
        parser.read(header?.subarray(0, end) ?? new Uint8Array());
        expect(parser.begun).toBe(end === whole.length);
      }
    }
    const parser = new ProxyHeaderParser();
    parser.read(ascii('PROXYX'));
    expect(parser.begun).toBe(false);
  });

  it('finds a good header with its last byte, and not before', () => {
    for (const header of goodHeaders) {
      const parser = new ProxyHeaderParser();
      for (const end of byteByByte(header)) expect(parser.read(header.subarray(0, end))).toEqual(incomplete);
      expect(parser.read(header)).toMatchObject({ state: 'complete', length: header.length });
    }
  });

  it('finds the case of five fragments and payload', () => {
    const header = ascii('PROXY TCP4 254.254.254.254 1.2.3.4 65535 1234\r\n');
    const bytes = join(header, ascii('hello'));
    const finding = readInFragments(bytes, [3, 10, 30, 45]);
    expect(finding).toMatchObject({ header: { client: { address: '254.254.254.254', port: 65535 } } });
    expect(ascii('hello')).toEqual(bytes.subarray(finding.state === 'complete' ? finding.length : 0));
  });

  it('stays with its answer whatever comes then', () => {
    for (const bytes of [ascii('PROXYX'), ascii('PROXY \r\n'), v2('20000000')]) {
      const parser = new ProxyHeaderParser();
      const finding = parser.read(bytes);
      expect(finding.state).not.toBe('incomplete');
      expect(parser.read(join(bytes, ascii('PROXY UNKNOWN\r\n')))).toBe(finding);
    }
  });

  it('says the same of bytes in any fragments, and never throws', () => {
    const anyCase = anyMutation().chain((bytes) => fc.tuple(fc.constant(bytes), anyFragments(bytes)));
    fc.assert(
      fc.property(anyCase, ([bytes, ends]) => {
        const finding = read(bytes);
        expect(readInFragments(bytes, ends)).toEqual(finding);
        expect(readInFragments(bytes, byteByByte(bytes))).toEqual(finding);
      }),
      { numRuns: 3_000 },
    );
  });

  it('finds what it finds without the payload', () => {
    fc.assert(
      fc.property(anyMutation(), (bytes) => {
        const finding = read(bytes);
        if (finding.state !== 'complete') return;
        expect(finding.length).toBeLessThanOrEqual(bytes.length);
        expect(read(bytes.subarray(0, finding.length))).toEqual(finding);
        expect(read(bytes.subarray(0, finding.length - 1))).toEqual(incomplete);
      }),
      { numRuns: 3_000 },
    );
  });

  it('looks at few bytes more than once, however slowly they come', () => {
    const noop = `2111 0ff0 c0000201c000020204d201bb 04 0fe1 ${'00'.repeat(0xfe1)}`;
    for (const header of [...goodHeaders, v2(noop)]) {
      const { bytes, looks } = counted(header);
      const parser = new ProxyHeaderParser();
      for (const end of byteByByte(header)) parser.read(upTo(bytes, end));
      const before = looks();
      expect(before).toBeLessThanOrEqual(2 * header.length + 16);
      parser.read(bytes);
      parser.read(bytes);
      expect(looks() - before).toBeLessThanOrEqual(2 * header.length + 16);
    }
  });
});

/** Bytes that count how often one of them is looked at by its index. */
function counted(source: Uint8Array): { readonly bytes: Uint8Array; looks(): number } {
  let looks = 0;
  const bytes = new Proxy(source, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { bytes, looks: () => looks };
}

/** The first of them, still counted. */
function upTo(bytes: Uint8Array, end: number): Uint8Array {
  return new Proxy(bytes, {
    get: (target, key) => (key === 'length' ? end : Reflect.get(target, key, target)),
  });
}
