import { performance } from 'node:perf_hooks';

/**
 * Milliseconds of the machine's monotonic clock, the same in every thread: `performance.now()` begins anew in
 * each, so it is shifted to where `process.hrtime()` counts from.
 */
export function monotonicMs(): number {
  return performance.now() + shiftMs;
}

const shiftMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
