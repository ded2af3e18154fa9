import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leastConnections } from '../../../src/core/balancers/least-connections.ts';
import { type FakeBackend, letters, picksOf, tally, tierFrom, tierOf } from './fake-tier.ts';

const picks = picksOf(leastConnections, 1);

describe('LeastConnections', () => {
  test('uses idle backends in turn', () => {
    expect(letters(7, picks(tierOf(1, 1, 1)))).toBe('a b c a b c a');
  });

  test('goes round among equals though others stand between them', () => {
    const tier = tierOf(1, 1, 1, 1);
    Object.assign(tier.backends[0] ?? {}, { active: 3 });
    Object.assign(tier.backends[2] ?? {}, { active: 3 });
    expect(tally(4, 100, picks(tier))).toEqual([0, 50, 0, 50]);
  });

  test('counts the session that is being placed', () => {
    // 2/1 and 10/9: by connections alone, 1/1 and 9/9 would be equal.
    const tier = tierOf(1, 9);
    Object.assign(tier.backends[0] ?? {}, { active: 1 });
    Object.assign(tier.backends[1] ?? {}, { active: 9 });
    expect(letters(3, picks(tier))).toBe('b b b');
  });

  test('fills backends in proportion to their weights', () => {
    const tier = tierOf(1, 2, 0, 7);
    const pick = picks(tier);
    for (let session = 0; session < 100; session++) {
      const backend = tier.backends[pick()];
      if (backend !== undefined) backend.active++;
    }
    expect(tier.backends.map((backend) => backend.active)).toEqual([10, 20, 0, 70]);
  });

  test('lets a ramp shrink the weight', () => {
    const tier = tierOf(10, 1);
    Object.assign(tier.backends[0] ?? {}, { rampPercent: 10, active: 1 });
    expect(letters(2, picks(tier))).toBe('b b');
  });

  test('tells loads apart that differ by one part in a million millions', () => {
    // 999,998/999,999 against 999,999/1,000,000: less by one part in 10¹².
    const tier = tierOf(999_999, 1_000_000);
    Object.assign(tier.backends[0] ?? {}, { active: 999_997 });
    Object.assign(tier.backends[1] ?? {}, { active: 999_998 });
    expect(letters(3, picks(tier))).toBe('a a a');
  });

  test('agrees with exact fractions', () => {
    const backend = fc.record({
      weight: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 1_000_000 })),
      active: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 1_000_000 })),
      rampPercent: fc.oneof(fc.constant(100), fc.integer({ min: 1, max: 100 })),
      admits: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(backend, { minLength: 1, maxLength: 8 }), (given) => {
        const tier = tierFrom(given.map((state, index) => ({ ...state, name: `backend-${index}` })));
        const pick = picks(tier);
        const lightest = leastLoaded(tier.backends);
        // Nothing changes between the picks, so all of the equals must come, and nobody else.
        const picked = new Set(Array.from({ length: given.length }, pick));
        expect([...picked].sort()).toEqual(lightest.length === 0 ? [-1] : lightest.sort());
      }),
    );
  });

  test('asks one backend per pick where all are idle and admitted', () => {
    const tier = tierOf(...new Array<number>(1_000).fill(1));
    tally(tier.size, 500, picks(tier));
    expect(tier.asked).toBe(500);
  });
});

/** All whose fraction is smallest, in whole numbers of any size. */
function leastLoaded(backends: readonly FakeBackend[]): number[] {
  const able = [...backends.entries()].filter(([, backend]) => backend.admits && backend.weight > 0);
  const load = (backend: FakeBackend) => BigInt(backend.active + 1);
  const weight = (backend: FakeBackend) => BigInt(backend.weight) * BigInt(backend.rampPercent);
  return able
    .filter(([, one]) => able.every(([, other]) => load(one) * weight(other) <= load(other) * weight(one)))
    .map(([index]) => index);
}
