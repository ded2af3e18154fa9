import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AliasTable } from '../../../src/core/balancers/alias-table.ts';
import { random } from '../../../src/core/balancers/random.ts';
import { picksOf, tally, tierFrom, tierOf } from './fake-tier.ts';

const picks = picksOf(random, 20_201);

describe('AliasTable', () => {
  test('gives each index exactly its share of the numbers from 0 to 1', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const table = new AliasTable(weights);
        fc.pre(table.total > 0);
        // The middles of as many equal parts as there are: one for each unit of height of each column.
        const parts = table.total * weights.length;
        let part = 0;
        const counts = tally(weights.length, parts, () => table.draw((part++ + 0.5) / parts));
        expect(counts).toEqual(weights.map((weight) => weight * weights.length));
      }),
    );
  });

  test('draws no index of weight 0 at either end', () => {
    const table = new AliasTable([0, 3, 0, 1, 0]);
    expect([1, 3]).toContain(table.draw(0));
    expect([1, 3]).toContain(table.draw(1 - 2 ** -53));
  });
});

describe('Random', () => {
  test('picks in proportion to weights', () => {
    expectShares(tally(4, 100_000, picks(tierOf(1, 2, 0, 7))), [1, 2, 0, 7]);
  });

  test('lets the share of those not admitted fall to the others in proportion', () => {
    const tier = tierOf(1, 50, 2, 40, 5);
    for (const index of [1, 3]) Object.assign(tier.backends[index] ?? {}, { admits: false });
    expectShares(tally(5, 100_000, picks(tier)), [1, 0, 2, 0, 5]);
  });

  test('keeps the proportions where nearly nobody is admitted', () => {
    const tier = tierFrom(
      Array.from({ length: 500 }, (_, index) => ({
        name: `backend-${index}`,
        weight: index < 3 ? index + 1 : 1_000,
        admits: index < 3,
      })),
    );
    expectShares(tally(500, 20_000, picks(tier)).slice(0, 3), [1, 2, 3]);
  });

  test('lets a ramp shrink the weight', () => {
    const tier = tierOf(1, 1, 1);
    Object.assign(tier.backends[0] ?? {}, { rampPercent: 25 });
    expectShares(tally(3, 100_000, picks(tier)), [1, 4, 4]);
  });

  test('asks one backend per pick where all are admitted', () => {
    const tier = tierOf(...new Array<number>(1_000).fill(1));
    tally(tier.size, 1_000, picks(tier));
    expect(tier.asked).toBe(1_000);
  });
});

/** Within 10 %: more than five standard deviations of the smallest share here. */
function expectShares(counts: readonly number[], weights: readonly number[]): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  counts.forEach((count, index) => {
    const expected = (total * (weights[index] ?? 0)) / sum;
    expect(Math.abs(count - expected)).toBeLessThanOrEqual(expected * 0.1);
  });
}
