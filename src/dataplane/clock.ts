import { performance } from 'node:perf_hooks';

/**
 * Milliseconds of the machine's monotonic clock, the same in every thread: `performance.now()` begins anew in
 * each, so it is shifted to where `process.hrtime()` counts from.
 */
export function monotonicMs(): number {
  return performance.now() + shiftMs;
}

const shiftMs = measuredShiftMs();

/** A thread may be put aside between two readings: of several pairs, the one that was read fastest tells. */
function measuredShiftMs(): number {
  let shiftMs = 0;
  let leastMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 16; attempt++) {
    const beforeMs = performance.now();
    const machineMs = Number(process.hrtime.bigint()) / 1e6;
    const tookMs = performance.now() - beforeMs;
    if (tookMs >= leastMs) continue;
    leastMs = tookMs;
    shiftMs = machineMs - beforeMs - tookMs / 2;
  }
  return shiftMs;
}
