/**
 * The share of its weight, in whole percent, that a backend has after it recovered: from 10 at once to 100
 * when `slowStartMs` are over. `recoveredMs` 0 means that it never was down; another thread wrote it, so it
 * may be a moment ahead of `nowMs`.
 */
export function rampPercent(recoveredMs: number, slowStartMs: number, nowMs: number): number {
  if (recoveredMs === 0 || nowMs >= recoveredMs + slowStartMs) return 100;
  return 10 + Math.floor((90 * Math.max(0, nowMs - recoveredMs)) / slowStartMs);
}
