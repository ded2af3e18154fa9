import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roundRobin } from '../../../src/core/balancers/round-robin.ts';
import { letters, picksOf, tally, tierFrom, tierOf } from './fake-tier.ts';

const picks = picksOf(roundRobin, 1);

describe('RoundRobin', () => {
  test('spreads the turns of a heavy backend', () => {
    expect(letters(14, picks(tierOf(5, 1, 1)))).toBe('a a b a c a a a a b a c a a');
  });

  test('goes in order where weights are equal', () => {
    expect(letters(7, picks(tierOf(3, 3, 3)))).toBe('a b c a b c a');
  });

  test('gives weights of 1 and 2 ten and twenty of thirty', () => {
    expect(tally(2, 30, picks(tierOf(1, 2)))).toEqual([10, 20]);
  });

  test('gives each exactly its weight over a period, and over the next', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 10 }), (weights) => {
        const pick = picks(tierOf(...weights));
        const period = weights.reduce((sum, weight) => sum + weight, 0);
        expect(tally(weights.length, period, pick)).toEqual(weights);
        expect(tally(weights.length, period, pick)).toEqual(weights);
      }),
    );
  });

  test('is never more than a turn from the exact share where weights are equal', () => {
    const size = 7;
    const pick = picks(tierOf(...new Array<number>(size).fill(2)));
    const counts = new Array<number>(size).fill(0);
    for (let turn = 0; turn < 100; turn++) {
      const index = pick();
      counts[index] = (counts[index] ?? 0) + 1;
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  test('keeps the proportions in a period that is too long to remember', () => {
    const pick = picks(tierOf(100_003, 50_001, 0, 50_000));
    expect(tally(4, 200_004, pick)).toEqual([100_003, 50_001, 0, 50_000]);
  });

  test('lets the share of those not admitted fall to the others in proportion', () => {
    const weightAndAdmits = fc.record({ weight: fc.integer({ min: 1, max: 9 }), admits: fc.boolean() });
    fc.assert(
      fc.property(fc.array(weightAndAdmits, { minLength: 1, maxLength: 7 }), (given) => {
        // A period of at most 63 turns: the others are always met before the balancer asks everyone.
        const tier = tierFrom(given.map((backend, index) => ({ ...backend, name: `backend-${index}` })));
        const expected = given.map(({ weight, admits }) => (admits ? weight : 0));
        const sum = expected.reduce((total, weight) => total + weight, 0);
        expect(tally(given.length, sum, picks(tier))).toEqual(expected);
      }),
    );
  });

  test('keeps the proportions where those admitted have few of the turns', () => {
    const tier = tierOf(1_000, 1, 2, 1_000);
    for (const index of [0, 3]) Object.assign(tier.backends[index] ?? {}, { admits: false });
    const [, light = 0, heavy = 0] = tally(4, 3_000, picks(tier));
    expect(light + heavy).toBe(3_000);
    expect(Math.abs(light - 1_000)).toBeLessThanOrEqual(10);
  });

  test('goes round those admitted where they have few of the turns', () => {
    const tier = tierOf(10_000, 1, 1);
    Object.assign(tier.backends[0] ?? {}, { admits: false });
    expect(letters(6, picks(tier))).toBe('b c b c b c');
  });

  test('does not make up for turns that were lost while others took part', () => {
    // One heavy backend that is not admitted has nearly all turns, so that all of the admitted are asked.
    const tier = tierOf(100_000, ...new Array<number>(1_000).fill(1));
    Object.assign(tier.backends[0] ?? {}, { admits: false });
    const pick = picks(tier);
    const only = (...indexes: number[]) => {
      tier.backends.forEach((backend, index) => {
        backend.admits = indexes.length === 0 ? index > 0 : indexes.includes(index);
      });
    };
    only();
    tally(tier.size, 5, pick); // 1 is deep in debt to a thousand others …
    only(1, 900);
    const counts = tally(tier.size, 20, pick); // … and does not pay it to one
    expect(counts[1]).toBeGreaterThanOrEqual(8);
    expect(counts[900]).toBeGreaterThanOrEqual(8);
  });

  test('gives a backend at 10 % every tenth of its turns', () => {
    const tier = tierOf(1, 1);
    Object.assign(tier.backends[0] ?? {}, { rampPercent: 10 });
    expect(tally(2, 1_100, picks(tier))).toEqual([100, 1_000]);
  });

  test('gives a backend at 10 % every session where no other is admitted', () => {
    const tier = tierOf(1, 1);
    Object.assign(tier.backends[0] ?? {}, { rampPercent: 10 });
    Object.assign(tier.backends[1] ?? {}, { admits: false });
    expect(letters(5, picks(tier))).toBe('a a a a a');
  });

  test('asks one backend per pick where all are admitted', () => {
    const tier = tierOf(...new Array<number>(1_000).fill(1));
    tally(tier.size, 5_000, picks(tier));
    expect(tier.asked).toBe(5_000);
  });
});
