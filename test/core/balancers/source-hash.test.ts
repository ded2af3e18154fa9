import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sourceHash } from '../../../src/core/balancers/source-hash.ts';
import { seeded } from '../../support/seeded.ts';
import { type FakeTier, tierFrom } from './fake-tier.ts';

/** 10.0.0.0 to 10.0.39.249: neighbours, as real clients are. */
const clients = Array.from({ length: 10_000 }, (_, n) => `10.0.${Math.floor(n / 250)}.${n % 250}`);

describe('SourceHash', () => {
  test('sends a client to the same backend again, and in another process too', () => {
    const tier = tierWith([1, 1, 1, 1, 1, 1, 1, 1]);
    const balancer = sourceHash.make(tier, seeded(1));
    const other = sourceHash.make(tier, seeded(2));
    for (const client of clients.slice(0, 200)) {
      const index = balancer.pick({ address: client });
      expect(balancer.pick({ address: client })).toBe(index);
      expect(other.pick({ address: client })).toBe(index);
    }
  });

  test('gives names that differ in one digit equal shares of neighbouring clients', () => {
    const counts = sharesOf(tierWith(new Array<number>(20).fill(1)));
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(125);
  });

  test('gives backends clients in proportion to their weights', () => {
    const [one = 0, two = 0, none = 0, seven = 0] = sharesOf(tierWith([1, 2, 0, 7]));
    expect(Math.abs(one - 1_000)).toBeLessThan(150);
    expect(Math.abs(two - 2_000)).toBeLessThan(250);
    expect(none).toBe(0);
    expect(Math.abs(seven - 7_000)).toBeLessThan(350);
  });

  test('moves only the clients of a backend that is no more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 12 }),
        fc.nat(),
        (weights, n) => {
          const gone = n % weights.length;
          const all = backendsWith(weights);
          const before = picksByName(tierFrom(all));
          const after = picksByName(tierFrom(all.filter((_, index) => index !== gone)));
          expectMovedOnlyFrom(all[gone]?.name, before, after);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('moves only the clients of a backend that is not admitted', () => {
    const tier = tierWith([3, 1, 4, 1, 5, 9]);
    const before = picksByName(tier);
    Object.assign(tier.backends[4] ?? {}, { admits: false });
    expectMovedOnlyFrom(tier.name(4), before, picksByName(tier));
  });

  test('spreads the clients of a lost backend over all of the others', () => {
    const tier = tierWith(new Array<number>(5).fill(1));
    const before = sharesOf(tier);
    Object.assign(tier.backends[0] ?? {}, { admits: false });
    const after = sharesOf(tier);
    for (const index of [1, 2, 3, 4]) {
      const gained = (after[index] ?? 0) - (before[index] ?? 0);
      expect(Math.abs(gained - 500)).toBeLessThan(125);
    }
  });

  test('takes no heed of the order in the file', () => {
    const all = backendsWith([1, 2, 3, 4, 5]);
    expect(picksByName(tierFrom(all.toReversed()))).toEqual(picksByName(tierFrom(all)));
  });

  test('lets a ramp shrink the weight, and takes clients from nobody by it but the ramping one', () => {
    const tier = tierWith([1, 1, 1]);
    const before = picksByName(tier);
    Object.assign(tier.backends[0] ?? {}, { rampPercent: 10 });
    const after = picksByName(tier);
    expectMovedOnlyFrom(tier.name(0), before, after);
    const left = after.filter((name) => name === tier.name(0)).length;
    expect(Math.abs(left - 476)).toBeLessThan(110);
  });

  test('ranks the backends of a client once and for all', () => {
    const tier = tierWith([1, 5, 2, 8, 3]);
    const balancer = sourceHash.make(tier, seeded(1));
    for (const client of clients.slice(0, 500)) {
      const ranking: number[] = [];
      for (const backend of tier.backends) backend.admits = true;
      for (let place = 0; place < tier.size; place++) {
        const index = balancer.pick({ address: client });
        ranking.push(index);
        Object.assign(tier.backends[index] ?? {}, { admits: false });
      }
      expect([...ranking].sort()).toEqual([0, 1, 2, 3, 4]);
      // Whoever else is missing, the better placed of those that are left wins.
      const [first = -1, , third = -1, , fifth = -1] = ranking;
      for (const index of [third, fifth]) Object.assign(tier.backends[index] ?? {}, { admits: true });
      expect(balancer.pick({ address: client })).toBe(third);
      Object.assign(tier.backends[first] ?? {}, { admits: true });
      expect(balancer.pick({ address: client })).toBe(first);
    }
  });

  test('asks but a few backends per pick', () => {
    const tier = tierWith(new Array<number>(1_000).fill(1));
    const balancer = sourceHash.make(tier, seeded(1));
    for (const client of clients.slice(0, 1_000)) balancer.pick({ address: client });
    expect(tier.asked).toBeLessThan(1_000 * 12);
  });
});

function expectMovedOnlyFrom(name: string | undefined, before: string[], after: string[]): void {
  const moved = before.filter((was, n) => was !== after[n]);
  expect(new Set(moved)).toEqual(new Set(before.includes(name ?? '') ? [name] : []));
}

function picksByName(tier: FakeTier): string[] {
  const balancer = sourceHash.make(tier, seeded(1));
  return clients.map((client) => tier.name(balancer.pick({ address: client })));
}

function sharesOf(tier: FakeTier): number[] {
  const names = picksByName(tier);
  return tier.backends.map((backend) => names.filter((name) => name === backend.name).length);
}

function tierWith(weights: readonly number[]): FakeTier {
  return tierFrom(backendsWith(weights));
}

function backendsWith(weights: readonly number[]): { name: string; weight: number }[] {
  return weights.map((weight, index) => ({ name: `10.1.0.${index + 1}:9000`, weight }));
}
