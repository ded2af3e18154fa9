/**
 * How long to wait before dialing a backend again: exponential with full jitter, so that clients which
 * failed together don't come back together (Marc Brooker, "Exponential Backoff and Jitter", 2015).
 *
 * @param round 0 for the first wait of a session, 1 for the next, and so on.
 * @returns milliseconds, from 0 to the smaller of `initialMs` × 2^round and `maxMs`.
 */
export function backoffMs(
  policy: { readonly initialMs: number; readonly maxMs: number },
  round: number,
  random: () => number,
): number {
  return random() * Math.min(policy.maxMs, policy.initialMs * 2 ** round);
}
