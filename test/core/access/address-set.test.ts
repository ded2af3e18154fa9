import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AddressRange,
  formatNetwork,
  parseAddressRange,
} from '../../../src/core/access/address-range.ts';
import {
  type AddressSet,
  compileAddressSet,
  contains,
  rangeAround,
  rangesOf,
} from '../../../src/core/access/address-set.ts';
import { addressWords } from '../../../src/core/addresses.ts';
import type { AddressWords } from '../../../src/core/ledger/client-table.ts';

function setOf(...texts: readonly string[]): AddressSet {
  return compileAddressSet(texts.map(rangeOf));
}

function rangeOf(text: string): AddressRange {
  const range = parseAddressRange(text);
  if (range === undefined) throw new Error(`${text} is no range`);
  return range;
}

/** Which of the addresses are in the set. */
function found(set: AddressSet, ...addresses: readonly string[]): readonly string[] {
  return addresses.filter((address) => contains(set, addressWords(address) ?? [0, 0, 0, 0]));
}

describe('An AddressSet', () => {
  test('without ranges has no address', () => {
    expect(found(setOf(), '0.0.0.0', '10.0.0.1', '::', '::1')).toEqual([]);
  });

  test('has the first and the last address of a range, and none beside it', () => {
    const inside = ['10.16.0.0', '10.17.1.2', '10.31.255.255'];
    expect(found(setOf('10.16.0.0/12'), '10.15.255.255', ...inside, '10.32.0.0')).toEqual(inside);
    const insideSix = ['2001:db8::', '2001:db8:7ff:ffff:ffff:ffff:ffff:ffff'];
    expect(found(setOf('2001:db8::/37'), '2001:db7:ffff::', ...insideSix, '2001:db8:800::')).toEqual(
      insideSix,
    );
  });

  test('has a single address and not its neighbours', () => {
    expect(
      found(setOf('10.0.0.1', '::1/128'), '10.0.0.0', '10.0.0.1', '10.0.0.2', '::', '::1', '::2'),
    ).toEqual(['10.0.0.1', '::1']);
  });

  test('takes an IPv4-mapped address for the IPv4 address', () => {
    expect(found(setOf('10.0.0.0/8'), '::ffff:10.1.2.3', '::10.1.2.3')).toEqual(['::ffff:10.1.2.3']);
    expect(found(setOf('::ffff:10.0.0.0/104'), '10.1.2.3', '11.1.2.3')).toEqual(['10.1.2.3']);
  });

  test('of 0.0.0.0/0 has every IPv4 address and no IPv6 one', () => {
    const ipv4 = ['0.0.0.0', '10.0.0.1', '255.255.255.255'];
    expect(found(setOf('0.0.0.0/0'), ...ipv4, '::', '::1', '::fffe:a00:1', 'ffff::')).toEqual(ipv4);
    expect(found(setOf('::ffff:0:0/96'), ...ipv4, '::')).toEqual(ipv4);
  });

  test('of ::/0 has every IPv6 address and no IPv4 one', () => {
    const ipv6 = ['::', '::1', '::fffe:a00:1', '::1:0:0:0', 'ffff::'];
    expect(found(setOf('::/0'), ...ipv6, '0.0.0.0', '10.0.0.1', '::ffff:10.0.0.1')).toEqual(ipv6);
  });

  test('tells its ranges in the order of their addresses', () => {
    const texts = ['10.0.0.0/9', '10.128.0.1/32', '192.168.0.0/15', '::1/128', '2001:db8::/33', 'fe80::/10'];
    expect(rangesOf(setOf(...texts.toReversed())).map(formatNetwork)).toEqual(texts);
    expect(rangesOf(setOf())).toEqual([]);
  });

  test('tells in which range an address lies', () => {
    const set = setOf('10.0.0.0/8', '10.128.0.1', '192.168.0.0/16', '::1', 'fe80::/10');
    const around = (text: string) => {
      const range = rangeAround(set, addressWords(text) ?? [0, 0, 0, 0]);
      return range && formatNetwork(range);
    };
    expect(around('10.1.2.3')).toBe('10.0.0.0/8');
    expect(around('192.168.0.255')).toBe('192.168.0.0/16');
    expect(around('fe80::1')).toBe('fe80::/10');
    expect(around('::1')).toBe('::1/128');
    expect(['192.169.0.0', '::2', '11.0.0.0'].map(around)).toEqual([undefined, undefined, undefined]);
  });

  test('leaves out ranges inside others, in any order', () => {
    const set = setOf('10.1.2.3', '10.1.0.0/16', '192.168.0.0/16', '10.0.0.0/8', '10.0.0.0/9', '10.0.0.0/8');
    expect(set.ranges).toBe(2);
    expect(found(set, '10.0.0.0', '10.1.2.3', '10.255.255.255', '11.0.0.0', '192.168.1.1')).toEqual([
      '10.0.0.0',
      '10.1.2.3',
      '10.255.255.255',
      '192.168.1.1',
    ]);
  });

  test('has both of two adjacent ranges, and what lies between two that are not', () => {
    const set = setOf('10.0.0.0/25', '10.0.0.128/25', '10.0.2.0/24');
    expect(found(set, '10.0.0.127', '10.0.0.128', '10.0.0.255', '10.0.1.0', '10.0.2.0', '10.0.3.0')).toEqual([
      '10.0.0.127',
      '10.0.0.128',
      '10.0.0.255',
      '10.0.2.0',
    ]);
  });

  test('does not mind bits behind the prefix', () => {
    expect(found(setOf('10.1.2.3/8', '10.9.9.9/8'), '10.200.0.1', '11.0.0.0')).toEqual(['10.200.0.1']);
  });

  test('is the same array of words after it was posted', async () => {
    const set = setOf('10.0.0.0/8', '::1');
    const posted = structuredClone(set);
    expect(posted.trie.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(found(posted, '10.1.2.3', '::1', '::2')).toEqual(['10.1.2.3', '::1']);
    set.trie.fill(0);
    expect(found(posted, '10.1.2.3', '::1')).toEqual([]);
  });

  test('has what a list of its ranges has', () => {
    fc.assert(
      fc.property(
        fc.array(range(), { maxLength: 40 }),
        fc.array(address(), { maxLength: 10 }),
        (ranges, some) => {
          const set = compileAddressSet(ranges);
          for (const one of [...some, ...ranges.flatMap(edges)]) {
            expect(contains(set, one)).toBe(ranges.some((each) => covers(each, one)));
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('needs less than a node and a leaf for each range, and eight steps for IPv4', () => {
    fc.assert(
      fc.property(fc.array(range(), { minLength: 1, maxLength: 40 }), (ranges) => {
        const set = compileAddressSet(ranges);
        expect(set.trie.length).toBeLessThan(2 + set.ranges * 22);
        expect(depthOf(set, set.trie[0] ?? 0)).toBeLessThanOrEqual(8);
        expect(depthOf(set, set.trie[1] ?? 0)).toBeLessThanOrEqual(32);
      }),
    );
  });

  test('of 100,000 ranges finds each of them', () => {
    const ranges = Array.from({ length: 100_000 }, (_, index): AddressRange => {
      // Scattered over all of IPv4.
      const network = (Math.imul(index, 0x9e3779b1) >>> 8) << 8;
      return { words: [0, 0, 0xffff, network], prefixLength: 120 };
    });
    const set = compileAddressSet(ranges);
    const seen = new Set(ranges.map(({ words }) => words[3]));
    expect(set.ranges).toBe(seen.size);
    let wrong = 0;
    for (const network of seen) {
      if (!contains(set, [0, 0, 0xffff, network | 77])) wrong++;
      const next = (network + 256) | 0;
      if (contains(set, [0, 0, 0xffff, next]) !== seen.has(next)) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

function depthOf({ trie }: AddressSet, reference: number): number {
  if (reference <= 0) return 0;
  const below = Array.from(trie.subarray(reference + 1, reference + 17));
  return 1 + Math.max(...below.map((next) => depthOf({ ranges: 0, trie }, next)));
}

/** The rule as it is told: the same family, and the same first bits. */
function covers({ words, prefixLength }: AddressRange, address: AddressWords): boolean {
  const isIpv4 = (bits: string): boolean => bits.startsWith(`${'0'.repeat(80)}${'1'.repeat(16)}`);
  const [rangeBits, addressBits] = [bitsOf(words), bitsOf(address)];
  const sameFamily = (prefixLength >= 96 && isIpv4(rangeBits)) === isIpv4(addressBits);
  return sameFamily && rangeBits.slice(0, prefixLength) === addressBits.slice(0, prefixLength);
}

function bitsOf(words: AddressWords): string {
  return words.map((word) => (word >>> 0).toString(2).padStart(32, '0')).join('');
}

/** Its first and last address, and those right before and behind. */
function edges({ words, prefixLength }: AddressRange): readonly AddressWords[] {
  const size = 1n << BigInt(128 - prefixLength);
  const first = (BigInt(`0b${bitsOf(words)}`) / size) * size;
  return [first - 1n, first, first + size - 1n, first + size].map((value) => {
    const word = (from: number): number => Number(BigInt.asIntN(32, value >> BigInt(from)));
    return [word(96), word(64), word(32), word(0)];
  });
}

/** Few different words, so that ranges overlap, nest and touch. */
function address(): fc.Arbitrary<AddressWords> {
  const word = fc.oneof(fc.constantFrom(0, 1, -1, 0xffff, 0x0a000000, 0x0a000001), fc.integer());
  return fc.oneof(
    fc.tuple(word, word, word, word),
    word.map((last): AddressWords => [0, 0, 0xffff, last]),
  );
}

function range(): fc.Arbitrary<AddressRange> {
  const prefixLength = fc.oneof(fc.integer({ min: 0, max: 128 }), fc.integer({ min: 96, max: 128 }));
  return fc.record({ words: address(), prefixLength });
}
