import { describe, expect, test } from 'vitest';
import { networkOf, parseAddressRange } from '../../../src/core/access/address-range.ts';

describe('parseAddressRange', () => {
  test.each([
    ['10.0.0.0/8', [0, 0, 0xffff, 0x0a000000], 104],
    ['10.1.2.3', [0, 0, 0xffff, 0x0a010203], 128],
    ['10.1.2.3/8', [0, 0, 0xffff, 0x0a010203], 104],
    ['0.0.0.0/0', [0, 0, 0xffff, 0], 96],
    ['255.255.255.255/32', [0, 0, 0xffff, -1], 128],
    ['::ffff:10.0.0.0/104', [0, 0, 0xffff, 0x0a000000], 104],
    ['::ffff:a00:1', [0, 0, 0xffff, 0x0a000001], 128],
    ['::1', [0, 0, 0, 1], 128],
    ['::/0', [0, 0, 0, 0], 0],
    ['fe80::/10', [0xfe800000 | 0, 0, 0, 0], 10],
    ['2001:db8::/32', [0x20010db8, 0, 0, 0], 32],
  ] as const)('reads %s', (text, words, prefixLength) => {
    expect(parseAddressRange(text)).toEqual({ words, prefixLength });
  });

  test.each([
    ...[
      '',
      '/',
      '/8',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '10.0.0.0/8/8',
      '10.0.0.0/8 ',
    ],
    ...['10.0.0.0/255.0.0.0', '10.0.0.0/1e1', '10.0/8', '10', '*', 'localhost', 'unix', 'fe80::1%eth0'],
    ...['::1%1/128', '::/129', '::/1280', '::/', '[::1]', '[::]/0', '10.0.0.1:80', '10.0.0.1-10.0.0.9'],
  ])('refuses %j', (text) => {
    expect(parseAddressRange(text)).toBeUndefined();
  });
});

describe('networkOf', () => {
  test.each([
    [0, [0, 0, 0, 0]],
    [1, [1 << 31, 0, 0, 0]],
    [31, [-2, 0, 0, 0]],
    [32, [-1, 0, 0, 0]],
    [33, [-1, 1 << 31, 0, 0]],
    [64, [-1, -1, 0, 0]],
    [96, [-1, -1, -1, 0]],
    [127, [-1, -1, -1, -2]],
    [128, [-1, -1, -1, -1]],
  ] as const)('keeps the first %i bits and clears the others', (prefixLength, words) => {
    expect(networkOf({ words: [-1, -1, -1, -1], prefixLength })).toEqual({ words, prefixLength });
  });
});
