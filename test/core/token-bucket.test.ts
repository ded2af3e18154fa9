import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeToken } from '../../src/core/limits.ts';

const unlimited = Number.POSITIVE_INFINITY;

describe('takeToken', () => {
  it('lets a burst through at once and then one for each interval', () => {
    const takes = bucket({ connectionsPerSecond: 10, burst: 3 });
    expect([takes(1_000), takes(1_000), takes(1_000), takes(1_000)]).toEqual([true, true, true, false]);
    expect([takes(1_099), takes(1_100), takes(1_100)]).toEqual([false, true, false]);
  });

  it('holds fractions', () => {
    const takes = bucket({ connectionsPerSecond: 0.5, burst: 1 });
    expect(takes(1_000)).toBe(true);
    expect([takes(1_500), takes(2_000), takes(2_500), takes(3_000)]).toEqual([false, false, false, true]);
  });

  it('keeps what a refused one leaves', () => {
    const takes = bucket({ connectionsPerSecond: 1, burst: 1 });
    takes(1_000);
    for (let nowMs = 1_001; nowMs < 2_000; nowMs++) expect(takes(nowMs)).toBe(false);
    expect(takes(2_000)).toBe(true);
  });

  it('never holds more than its burst', () => {
    const takes = bucket({ connectionsPerSecond: 1_000, burst: 2 });
    takes(1_000);
    expect([takes(1e9), takes(1e9), takes(1e9)]).toEqual([true, true, false]);
  });

  it('gains nothing from a clock that goes back and forth', () => {
    const takes = bucket({ connectionsPerSecond: 1, burst: 1 });
    expect(takes(10_000)).toBe(true);
    for (let turn = 0; turn < 10; turn++) expect([takes(5_000), takes(10_000)]).toEqual([false, false]);
    expect(takes(11_000)).toBe(true);
  });

  it('is full when it is first used, at time 0 too, and then no more', () => {
    const takes = bucket({ connectionsPerSecond: 1, burst: 1 });
    expect([takes(0), takes(0), takes(0)]).toEqual([true, false, false]);
  });

  it('passes everything where there is no rate', () => {
    const takes = bucket({ connectionsPerSecond: unlimited, burst: unlimited });
    expect(Array.from({ length: 100 }, () => takes(1_000))).not.toContain(false);
  });

  it('begins full where a reload gives a rate to what had none', () => {
    const buckets = { tokens: new Float64Array(1), filledMs: new Float64Array(1) };
    const takes = (rate: { readonly connectionsPerSecond: number; readonly burst: number }) =>
      takeToken(buckets, 0, rate, 1_000);
    takes({ connectionsPerSecond: unlimited, burst: unlimited });
    const limited = { connectionsPerSecond: 1, burst: 2 };
    expect([takes(limited), takes(limited), takes(limited)]).toEqual([true, true, false]);
  });

  it('never passes more than burst + rate × t in any window', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: -20, max: 200 }), { maxLength: 200 }),
        (connectionsPerSecond, burst, stepsMs) => {
          const takes = bucket({ connectionsPerSecond, burst });
          let nowMs = 1_000;
          const passed: number[] = [];
          for (const stepMs of stepsMs) {
            nowMs = Math.max(1, nowMs + stepMs);
            if (takes(nowMs)) passed.push(nowMs);
          }
          for (let from = 0; from < passed.length; from++) {
            let latestMs = passed[from] ?? 0;
            for (let to = from; to < passed.length; to++) {
              // A clock that went back: a window is as long as the furthest that it came.
              latestMs = Math.max(latestMs, passed[to] ?? 0);
              const firstMs = Math.min(...passed.slice(from, to + 1));
              const most = burst + ((latestMs - firstMs) / 1_000) * connectionsPerSecond;
              expect(to - from + 1).toBeLessThanOrEqual(most + 1e-6);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('passes what asks no faster than the rate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 9 }),
        (connectionsPerSecond, burst) => {
          const takes = bucket({ connectionsPerSecond, burst });
          const everyMs = 1_000 / connectionsPerSecond + 1e-3;
          for (let turn = 0; turn < 100; turn++) expect(takes(1_000 + turn * everyMs)).toBe(true);
        },
      ),
    );
  });
});

function bucket(rate: { readonly connectionsPerSecond: number; readonly burst: number }) {
  const buckets = { tokens: new Float64Array(1), filledMs: new Float64Array(1) };
  return (nowMs: number) => takeToken(buckets, 0, rate, nowMs);
}
