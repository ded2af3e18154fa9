import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { balancers, balances } from '../../../src/core/balancers/table.ts';
import { seeded } from '../../support/seeded.ts';
import { tierFrom, tierOf } from './fake-tier.ts';

const backend = fc.record({
  weight: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1_000_000 })),
  admits: fc.boolean(),
  active: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1_000_000 })),
  rampPercent: fc.oneof(fc.constant(100), fc.integer({ min: 1, max: 99 })),
});
const backends = fc.array(backend, { maxLength: 12 });

describe.each(balances)('%s', (balance) => {
  test('picks one that is admitted and has a weight, wherever there is one', () => {
    fc.assert(
      fc.property(
        fc.array(backends, { minLength: 1, maxLength: 3 }),
        fc.integer(),
        ([start, ...later], seed) => {
          const tier = tierFrom(
            (start ?? []).map((given, index) => ({ ...given, name: `backend-${index}` })),
          );
          const balancer = balancers[balance].make(tier, seeded(seed));
          for (const states of [start ?? [], ...later]) {
            tier.backends.forEach((known, index) => {
              const { admits, active, rampPercent } = states[index] ?? { ...known, admits: false };
              Object.assign(known, { admits, active, rampPercent });
            });
            const able = tier.backends.flatMap((known, index) =>
              known.admits && known.weight > 0 ? [index] : [],
            );
            for (let pick = 0; pick < 20; pick++) {
              const index = balancer.pick({ address: `client-${pick}` });
              if (able.length === 0) expect(index).toBe(-1);
              else expect(able).toContain(index);
            }
          }
        },
      ),
    );
  });

  test('has nothing to pick in an empty tier', () => {
    expect(balancers[balance].make(tierOf(), seeded(1)).pick({ address: '10.0.0.1' })).toBe(-1);
  });

  test('has nothing to pick where all are drained', () => {
    expect(balancers[balance].make(tierOf(0, 0), seeded(1)).pick({ address: '10.0.0.1' })).toBe(-1);
  });

  test('finds the only one admitted among a thousand, however light', () => {
    const tier = tierFrom(
      Array.from({ length: 1_000 }, (_, index) => ({
        name: `backend-${index}`,
        weight: index === 777 ? 1 : 1_000_000,
        admits: index === 777,
        rampPercent: index === 777 ? 1 : 100,
      })),
    );
    const balancer = balancers[balance].make(tier, seeded(1));
    for (let pick = 0; pick < 3; pick++) expect(balancer.pick({ address: '10.0.0.1' })).toBe(777);
  });
});
