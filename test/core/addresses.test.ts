import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressText, addressWords, ipv6Text, isIpv4 } from '../../src/core/addresses.ts';

describe('addressWords', () => {
  test.each([
    ['0.0.0.0', [0, 0, 0xffff, 0]],
    ['10.1.2.3', [0, 0, 0xffff, 0x0a010203]],
    ['255.255.255.255', [0, 0, 0xffff, -1]],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['1::', [0x00010000, 0, 0, 0]],
    ['2001:db8::8:800:200c:417a', [0x20010db8, 0, 0x00080800, 0x200c417a]],
    ['FFFF:ffff:ffff:ffff:ffff:ffff:ffff:FFFF', [-1, -1, -1, -1]],
    ['1:2:3:4:5:6:7::', [0x00010002, 0x00030004, 0x00050006, 0x00070000]],
    ['::2:3:4:5:6:7:8', [0x00000002, 0x00030004, 0x00050006, 0x00070008]],
    ['::ffff:10.1.2.3', [0, 0, 0xffff, 0x0a010203]],
    ['64:ff9b::192.0.2.33', [0x0064ff9b, 0, 0, 0xc0000221 | 0]],
    ['fe80::1%eth0', [0xfe800000 | 0, 0, 0, 1]],
  ])('reads %s', (text, words) => {
    expect(addressWords(text)).toEqual(words);
  });

  test.each([
    ...['', 'unix', 'localhost', ' 10.0.0.1', '10.0.0.1 ', '10.0.0', '10.0.0.', '10.0.0.1.', '.10.0.0.1'],
    ...['10.0.0.256', '10.0.0.01', '10.0.0.00', '10.0.0.0x1', '10.0.0.a', '1e1.0.0.1', '-1.0.0.0', '10..0.1'],
    ...['10.0.0.1%eth0', '10.0.0.1:80', '10.0.0.1/8', '10.0.0.1.5', '99999999999999999999.0.0.1', '١.0.0.1'],
    ...[
      ':',
      ':::',
      '1',
      '1:',
      ':1',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:',
      ':1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
    ],
    ...[
      '1::2::3',
      '1:2:3:4::5:6:7:8',
      '::1:2:3:4:5:6:7:8',
      '1:2:3:4:5:6:7:8::',
      '00001::',
      '::g',
      '::1 ',
      '[::1]',
    ],
    ...[
      '::1.2.3',
      '::1.2.3.4.5',
      '::1.2.3.256',
      '::1.2.3.04',
      '1.2.3.4::',
      '1:2:3:4:5:6:7:1.2.3.4',
      '::1.2.3.4:5',
    ],
    ...['::%', '%::1', 'fe80::1%', '::/0'],
  ])('refuses %j', (text) => {
    expect(addressWords(text)).toBeUndefined();
  });

  test('takes what the runtime takes, and nothing else', () => {
    const anyText = fc.string({
      unit: fc.constantFrom(...'0123456789abcdefABCDEFg:.%', '::', '1', '255', '1.2.3.4', 'ffff', '0:0:'),
      maxLength: 16,
    });
    fc.assert(
      fc.property(fc.oneof(anyText, fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), mangledIp()), (text) => {
        expect(addressWords(text) !== undefined).toBe(isIPv4(text) || isIPv6(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test('reads IPv4 as its four bytes', () => {
    fc.assert(
      fc.property(fc.tuple(byte(), byte(), byte(), byte()), ([a, b, c, d]) => {
        const expected = [0, 0, 0xffff, (a << 24) | (b << 16) | (c << 8) | d];
        expect(addressWords(`${a}.${b}.${c}.${d}`)).toEqual(expected);
        expect(addressWords(`::ffff:${a}.${b}.${c}.${d}`)).toEqual(expected);
      }),
    );
  });

  test('reads every way to write an IPv6 address as the URL standard does', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
        const words = addressWords(text);
        expect(words).toEqual(addressWords(canonical));
        expect(new URL(`http://[${written(words ?? [])}]/`).hostname.slice(1, -1)).toBe(canonical);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('addressText', () => {
  test.each([
    // RFC 5952, 4: no leading zeros, the first of the longest runs, no run of one, small letters.
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:1::', '0:1::'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['0.0.0.0', '0.0.0.0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('writes %s as %s', (text, canonical) => {
    expect(addressText(addressWords(text) ?? [0, 0, 0, 0])).toBe(canonical);
  });

  test('writes every address as the URL standard does, and one of IPv4 as its four bytes', () => {
    fc.assert(
      fc.property(fc.oneof(sparseWords(), fc.tuple(word(), word(), word(), word())), (words) => {
        const text = addressText(words);
        expect(addressWords(text)).toEqual(words);
        expect(isIPv4(text)).toBe(isIpv4(words));
        if (!isIpv4(words)) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('ipv6Text', () => {
  test('writes an address of IPv4 among those of IPv6', () => {
    expect(ipv6Text([0, 0, 0xffff, 0xc0000201 | 0])).toBe('::ffff:192.0.2.1');
    expect(ipv6Text([0, 0, 0, 1])).toBe('::1');
  });
});

/** Many groups are zero. */
function sparseWords() {
  const half = fc.oneof(fc.constant(0), fc.constantFrom(0, 1, 0xffff));
  const sparse = fc.tuple(half, half).map(([high, low]) => (high << 16) | low);
  return fc.tuple(sparse, sparse, sparse, sparse);
}

function word() {
  return fc.integer({ min: -0x80000000, max: 0x7fffffff });
}

/** An address with one character taken out, put in or doubled. */
function mangledIp() {
  return fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(45), fc.constantFrom('', ':', '.', '0', 'f', '%', '::'))
    .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + (put === '' ? 1 : 0)));
}

function byte() {
  return fc.integer({ min: 0, max: 255 });
}

/** All eight groups, in full. */
function written(words: readonly number[]): string {
  return words
    .flatMap((word) => [word >>> 16, word & 0xffff])
    .map((group) => group.toString(16))
    .join(':');
}
