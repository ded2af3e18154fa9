import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLocalHeader, encodeProxyHeader } from '../../../src/core/wire/proxy-writing.ts';
import { anyInetEnds, anyTlvs, anyUnixEnds, ascii, inet, read, v2 } from './proxy-samples.ts';

const ipv6 = { address: '2001:db8::1', port: 1234 };
const unix = { address: 'unix', port: 0 };

describe('encodeProxyHeader', () => {
  it('leaves out zones, which say nothing to another machine', () => {
    const zoned = { address: 'fe80::1%eth0', port: 7 };
    expect(encodeProxyHeader('v1', { client: zoned, destination: zoned })).toEqual(
      ascii('PROXY TCP6 fe80::1 fe80::1 7 7\r\n'),
    );
    const bare = { address: 'fe80::1', port: 7 };
    expect(encodeProxyHeader('v2', { client: zoned, destination: zoned })).toEqual(
      encodeProxyHeader('v2', { client: bare, destination: bare }),
    );
  });

  it('writes version 1 as a line', () => {
    expect(encodeProxyHeader('v1', inet)).toEqual(ascii('PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n'));
    expect(encodeProxyHeader('v1', { client: ipv6, destination: { address: '::1', port: 0 } })).toEqual(
      ascii('PROXY TCP6 2001:db8::1 ::1 1234 0\r\n'),
    );
  });

  it('writes version 2 with version and command 0x21', () => {
    expect(encodeProxyHeader('v2', inet)).toEqual(v2('2111000c c0000201 c0000202 04d201bb'));
    const both = { client: ipv6, destination: { address: '2001:db8::2', port: 443 } };
    expect(encodeProxyHeader('v2', both)).toEqual(
      v2('21210024 20010db8000000000000000000000001 20010db8000000000000000000000002 04d201bb'),
    );
  });

  it('promotes mixed families to IPv6, whichever end is IPv4', () => {
    const ends = { client: ipv6, destination: inet.destination };
    expect(encodeProxyHeader('v1', ends)).toEqual(
      ascii('PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 1234 443\r\n'),
    );
    expect(encodeProxyHeader('v2', ends)).toEqual(
      v2('21210024 20010db8000000000000000000000001 00000000000000000000ffffc0000202 04d201bb'),
    );
    const mirrored = { client: inet.client, destination: ipv6 };
    expect(encodeProxyHeader('v1', mirrored)).toEqual(
      ascii('PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1234 1234\r\n'),
    );
  });

  it('leaves out the zone of an address', () => {
    const ends = { client: { address: 'fe80::1%eth0', port: 1 }, destination: { address: '::1', port: 2 } };
    expect(encodeProxyHeader('v1', ends)).toEqual(ascii('PROXY TCP6 fe80::1 ::1 1 2\r\n'));
  });

  it('says of a unix connection that it is unknown in version 1, and its paths in version 2', () => {
    const ends = { client: unix, destination: { ...unix, path: '/run/web.sock' } };
    expect(encodeProxyHeader('v1', ends)).toEqual(ascii('PROXY UNKNOWN\r\n'));
    const path = Buffer.from('/run/web.sock'.padEnd(108, '\0')).toString('hex');
    expect(encodeProxyHeader('v2', ends)).toEqual(v2(`213100d8 ${'00'.repeat(108)} ${path}`));
  });

  it('fills the field with a path of 108 bytes and leaves out a longer one', () => {
    const header = (path: string) =>
      encodeProxyHeader('v2', { client: { ...unix, path }, destination: { ...unix, path: '/b' } });
    const tail = `2f62${'00'.repeat(106)}`;
    expect(header('a'.repeat(108))).toEqual(v2(`213100d8 ${'61'.repeat(108)} ${tail}`));
    expect(header('a'.repeat(109))).toEqual(v2(`213100d8 ${'00'.repeat(108)} ${tail}`));
  });

  it.each([
    [{ client: unix, destination: inet.destination }],
    [{ client: inet.client, destination: unix }],
    [{ client: { address: 'nowhere', port: 1 }, destination: inet.destination }],
  ])('says that it cannot tell the ends of %j', (ends) => {
    expect(encodeProxyHeader('v1', ends)).toEqual(ascii('PROXY UNKNOWN\r\n'));
    expect(encodeProxyHeader('v2', ends)).toEqual(v2('21000000'));
  });

  it('carries protocol, authority and unique id in version 2, and not in version 1', () => {
    const tlvs = { alpn: 'h2', authority: 'a.example', uniqueId: ascii('id') };
    const tail = '010002 6832 020009 612e6578616d706c65 050002 6964';
    expect(encodeProxyHeader('v2', inet, tlvs)).toEqual(v2(`21110022 c0000201c000020204d201bb ${tail}`));
    expect(encodeProxyHeader('v1', inet, tlvs)).toEqual(encodeProxyHeader('v1', inet));
  });

  it('seals the header with a checksum when told to', () => {
    const sealed = v2('21110013 c0000201c000020204d201bb 030004 c91d6693');
    expect(encodeProxyHeader('v2', inet, { checksum: true })).toEqual(sealed);
    expect(encodeProxyHeader('v2', inet, { checksum: false })).toEqual(encodeProxyHeader('v2', inet));
  });

  it('leaves out what receivers would refuse for its length', () => {
    const plain = encodeProxyHeader('v2', inet);
    const length = (tlvs: object) => encodeProxyHeader('v2', inet, tlvs).length - plain.length;
    expect(length({ uniqueId: new Uint8Array(128) })).toBe(131);
    expect(length({ uniqueId: new Uint8Array(129) })).toBe(0);
    expect(length({ authority: 'a'.repeat(255) })).toBe(258);
    expect(length({ authority: 'a'.repeat(256) })).toBe(0);
    expect(length({ authority: 'ä'.repeat(128) })).toBe(0);
    expect(length({ alpn: 'a'.repeat(256) })).toBe(0);
  });

  it('is read as what was written', () => {
    fc.assert(
      fc.property(fc.oneof(anyInetEnds(), anyUnixEnds()), anyTlvs(), (ends, { checksum, ...tlvs }) => {
        const bytes = encodeProxyHeader('v2', ends, { ...tlvs, ...(checksum && { checksum }) });
        const header = { source: 'proxied', ...ends, ...tlvs };
        expect(read(bytes)).toEqual({ state: 'complete', header, length: bytes.length });
      }),
      { numRuns: 1_000 },
    );
  });

  it('is read as what was written, in version 1 too', () => {
    fc.assert(
      fc.property(anyInetEnds(), (ends) => {
        const bytes = encodeProxyHeader('v1', ends);
        const header = { source: 'proxied', ...ends };
        expect(read(bytes)).toEqual({ state: 'complete', header, length: bytes.length });
      }),
      { numRuns: 1_000 },
    );
  });

  it('writes a header that can be read of any ends whatever', () => {
    const end = fc.record({ address: fc.oneof(fc.string(), fc.constant('unix')), port: fc.nat(65535) });
    fc.assert(
      fc.property(end, end, anyTlvs(), (client, destination, tlvs) => {
        for (const version of ['v1', 'v2'] as const) {
          const bytes = encodeProxyHeader(version, { client, destination }, tlvs);
          expect(read(bytes)).toMatchObject({ state: 'complete', length: bytes.length });
        }
      }),
    );
  });
});

describe('encodeLocalHeader', () => {
  it('announces nobody', () => {
    expect(encodeLocalHeader('v1')).toEqual(ascii('PROXY UNKNOWN\r\n'));
    expect(encodeLocalHeader('v2')).toEqual(v2('20000000'));
    for (const version of ['v1', 'v2'] as const) {
      expect(read(encodeLocalHeader(version))).toMatchObject({ header: { source: 'own' } });
    }
  });
});
