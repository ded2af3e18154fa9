import { describe, expect, it } from 'vitest';
import { keyedHash } from '../../../src/core/ledger/keyed-hash.ts';

const words = [3, 0x20010db8, 0, 0, 1];

describe('keyedHash', () => {
  it('changes with every bit of the words and of the key, in half of its bits', () => {
    const flips: number[] = [];
    const base = keyedHash([1, 2], words);
    for (let bit = 0; bit < 32; bit++) {
      for (let at = 0; at < words.length; at++) {
        const other = words.map((word, index) => (index === at ? word ^ (1 << bit) : word));
        flips.push(bitsOf(base ^ keyedHash([1, 2], other)));
      }
      flips.push(bitsOf(base ^ keyedHash([1 ^ (1 << bit), 2], words)));
      flips.push(bitsOf(base ^ keyedHash([1, 2 ^ (1 << bit)], words)));
    }
    expect(Math.min(...flips)).toBeGreaterThan(2);
    expect(flips.reduce((sum, flipped) => sum + flipped, 0) / flips.length).toBeCloseTo(16, 0);
  });

  it('tells words by their place and by their number', () => {
    const inputs = [[], [0], [0, 0], [1, 2], [2, 1], [1, 2, 0], [0, 1, 2]];
    expect(new Set(inputs.map((input) => keyedHash([5, 6], input))).size).toBe(inputs.length);
  });

  it('spreads neighbouring networks evenly', () => {
    const counts = new Int32Array(256);
    for (let network = 0; network < 25_600; network++) {
      const bucket = keyedHash([7, 8], [0, 0x20010db8, network, 0, 0]) % 256;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(160);
    expect(Math.min(...counts)).toBeGreaterThan(50);
  });
});

function bitsOf(word: number): number {
  let bits = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) bits += rest & 1;
  return bits;
}
