import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rampPercent } from '../../src/core/backend.ts';
import { CoreStage, planOf, poolPlan } from './harness.ts';

describe('rampPercent', () => {
  it('rises from 10 to 100 over the slow start', () => {
    const at = (afterMs: number) => rampPercent(5_000, 1_000, 5_000 + afterMs);
    expect([at(0), at(100), at(500), at(999), at(1_000), at(9_999)]).toEqual([10, 19, 55, 99, 100, 100]);
  });

  it('is 100 for a backend that never was down', () => {
    expect(rampPercent(0, 30_000, 10)).toBe(100);
  });

  it('is 10 where another thread saw the recovery a moment ahead', () => {
    expect(rampPercent(5_000, 20, 4_990)).toBe(10);
  });

  it('is a whole number from 10 to 100 that never falls', () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 1e6 }),
        fc.nat(3e6),
        fc.nat(1e3),
        (since, span, now, step) => {
          const percent = rampPercent(since, span, now);
          expect(Number.isInteger(percent)).toBe(true);
          expect(percent).toBeGreaterThanOrEqual(10);
          expect(percent).toBeLessThanOrEqual(100);
          expect(rampPercent(since, span, now + step)).toBeGreaterThanOrEqual(percent);
        },
      ),
    );
  });
});

describe('Slow start', () => {
  it('gives a backend that has recovered few sessions at first and its share in the end', () => {
    const stage = new CoreStage(planOf(poolPlan(2, { slowStartMs: 10_000 })));
    stage.ledger.recoveredMs[1] = stage.nowMs;
    const share = () => {
      const backends = Array.from({ length: 100 }, () => stage.relay().backend);
      return backends.filter((backend) => backend === 1).length;
    };
    const early = share();
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(20);
    stage.nowMs += 10_000;
    expect(share()).toBe(50);
  });

  it('is off where the pool says 0', () => {
    const stage = new CoreStage(planOf(poolPlan(2)));
    stage.ledger.recoveredMs[1] = stage.nowMs;
    expect([stage.relay().backend, stage.relay().backend]).toEqual([0, 1]);
  });
});
