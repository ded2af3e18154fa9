/** When a relaying session's time is over. */
import type { SessionTimeouts } from './plan.ts';

export interface RelayTimes {
  readonly acceptedMs: number;
  readonly relayingSinceMs: number;
  /** When the first FIN came; undefined while none has. */
  readonly halfClosedSinceMs: number | undefined;
  /** May be older than the relay and than the FIN: a silence begins with the latest of them. */
  readonly lastByteMs: number;
}

export interface RelayEnd {
  readonly atMs: number;
  readonly reason: 'lifetime-exceeded' | 'half-closed-timeout' | 'idle-timeout';
}

/** When a session ends, and why, if no byte comes any more. */
export function relayEnd(timeouts: SessionTimeouts, times: RelayTimes): RelayEnd {
  const lifetimeEndMs = times.acceptedMs + timeouts.maxLifetimeMs;
  const quietMs = Math.max(times.lastByteMs, times.relayingSinceMs);
  const idleEndMs = quietMs + timeouts.idleMs;
  const halfClosedMs = Math.max(quietMs, times.halfClosedSinceMs ?? Number.POSITIVE_INFINITY);
  const halfClosedEndMs = halfClosedMs + timeouts.halfClosedMs;
  if (lifetimeEndMs <= Math.min(idleEndMs, halfClosedEndMs)) {
    return { atMs: lifetimeEndMs, reason: 'lifetime-exceeded' };
  }
  return halfClosedEndMs <= idleEndMs
    ? { atMs: halfClosedEndMs, reason: 'half-closed-timeout' }
    : { atMs: idleEndMs, reason: 'idle-timeout' };
}
