import { describe, expect, test } from 'vitest';
import { powerOfTwo } from '../../../src/core/balancers/power-of-two.ts';
import { letters, picksOf, tally, tierOf } from './fake-tier.ts';

const picks = picksOf(powerOfTwo, 4_711);

describe('PowerOfTwo', () => {
  test('takes the less loaded of two, always where there are but two', () => {
    const tier = tierOf(1, 1);
    Object.assign(tier.backends[0] ?? {}, { active: 1 });
    expect(tally(2, 200, picks(tier))).toEqual([0, 200]);
  });

  test('never takes the most loaded of all, for the other of any two is less loaded', () => {
    const tier = tierOf(1, 1, 1, 1, 1);
    tier.backends.forEach((backend, index) => {
      backend.active = index;
    });
    const counts = tally(5, 10_000, picks(tier));
    // Of ten pairs, four have the first in them, three more the second, and so on.
    [4_000, 3_000, 2_000, 1_000, 0].forEach((expected, index) => {
      expect(Math.abs((counts[index] ?? 0) - expected)).toBeLessThanOrEqual(expected * 0.15);
    });
  });

  test('compares connections per weight', () => {
    const tier = tierOf(10, 1);
    Object.assign(tier.backends[0] ?? {}, { active: 19 });
    Object.assign(tier.backends[1] ?? {}, { active: 2 });
    expect(tally(2, 100, picks(tier))).toEqual([100, 0]);
  });

  test('lets a ramp shrink the weight', () => {
    const tier = tierOf(10, 1);
    Object.assign(tier.backends[0] ?? {}, { active: 9, rampPercent: 10 });
    Object.assign(tier.backends[1] ?? {}, { active: 2 });
    expect(tally(2, 100, picks(tier))).toEqual([0, 100]);
  });

  test('uses idle backends in proportion to their weights', () => {
    const [light = 0, heavy = 0] = tally(2, 30_000, picks(tierOf(1, 2)));
    expect(heavy / light).toBeGreaterThan(1.8);
    expect(heavy / light).toBeLessThan(2.2);
  });

  test('takes the only one admitted, though it is busy', () => {
    const tier = tierOf(1, 1, 1);
    for (const index of [0, 2]) Object.assign(tier.backends[index] ?? {}, { admits: false });
    Object.assign(tier.backends[1] ?? {}, { active: 1_000 });
    expect(letters(5, picks(tier))).toBe('b b b b b');
  });

  test('asks but a few backends per pick', () => {
    const tier = tierOf(...new Array<number>(1_000).fill(1));
    tally(tier.size, 1_000, picks(tier));
    expect(tier.asked).toBeLessThan(2_100);
  });
});
