/** What ends a session's stage by time. Of several timers in a stage the soonest counts, of two at once the upper one. */
import type { SessionTimeouts } from './plan.ts';

export interface Timer<Name, Times> {
  readonly name: Name;
  dueMs(times: Times): number;
}

type Timers<Name, Times> = readonly [Timer<Name, Times>, ...Timer<Name, Times>[]];

export interface RelayTimes {
  readonly timeouts: SessionTimeouts;
  readonly acceptedMs: number;
  /** When the last byte came, or the relay began. */
  readonly silentSinceMs: number;
  /** When the first FIN came; Infinity while none has. */
  readonly halfClosedMs: number;
}

export const relayTimers: Timers<'lifetime-exceeded' | 'half-closed-timeout' | 'idle-timeout', RelayTimes> = [
  {
    name: 'lifetime-exceeded',
    dueMs: ({ acceptedMs, timeouts }) => acceptedMs + timeouts.maxLifetimeMs,
  },
  {
    name: 'half-closed-timeout',
    dueMs: ({ silentSinceMs, halfClosedMs, timeouts }) =>
      Math.max(silentSinceMs, halfClosedMs) + timeouts.halfClosedMs,
  },
  {
    name: 'idle-timeout',
    dueMs: ({ silentSinceMs, timeouts }) => silentSinceMs + timeouts.idleMs,
  },
];

export interface DialTimes {
  /** When `connect.timeout` is over. */
  readonly untilMs: number;
  /** When the client counts as gone; Infinity while it does not. */
  readonly leftMs: number;
}

export const dialTimers: Timers<'client-left' | 'connect-timeout', DialTimes> = [
  { name: 'client-left', dueMs: ({ leftMs }) => leftMs },
  { name: 'connect-timeout', dueMs: ({ untilMs }) => untilMs },
];

/** How long a peer that was sent FIN may take to close, before it is reset. */
export const lingerMs = 1_000;

/** The timer that counts. */
export function soonest<Name, Times>(timers: Timers<Name, Times>, times: Times): Timer<Name, Times> {
  let soonest = timers[0];
  let soonestMs = Number.POSITIVE_INFINITY;
  for (const timer of timers) {
    const dueMs = timer.dueMs(times);
    if (dueMs >= soonestMs) continue;
    soonest = timer;
    soonestMs = dueMs;
  }
  return soonest;
}
