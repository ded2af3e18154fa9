import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/core/backoff.ts';

const policy = { initialMs: 50, maxMs: 1_000 };
const nearlyOne = 1 - Number.EPSILON;

describe('backoffMs', () => {
  it('doubles its bound each round up to the longest wait', () => {
    const bounds = [0, 1, 2, 3, 4, 5, 6].map((round) =>
      Math.round(backoffMs(policy, round, () => nearlyOne)),
    );
    expect(bounds).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
  });

  it('may wait any part of the bound, nothing included', () => {
    expect(backoffMs(policy, 3, () => 0)).toBe(0);
    expect(backoffMs(policy, 3, () => 0.25)).toBe(100);
  });

  it('stays within its bounds in any round that retries allow', () => {
    const chance = fc.double({ min: 0, max: nearlyOne, noNaN: true });
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(60_000), fc.nat(100), chance, (initialMs, maxMs, round, drawn) => {
        const waitMs = backoffMs({ initialMs, maxMs }, round, () => drawn);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(Math.min(maxMs, initialMs * 2 ** round));
      }),
    );
  });
});
