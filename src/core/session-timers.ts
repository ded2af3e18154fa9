/** What ends a session's stage by time. Of several timers in a stage the soonest counts, of two at once the upper one. */
import type { SessionTimeouts } from './plan.ts';

export interface Timer<Name, Times> {
  readonly name: Name;
  dueMs(times: Times): number;
}

export interface RelayTimes {
  readonly timeouts: SessionTimeouts;
  readonly acceptedMs: number;
  /** When the last byte came, or the relay began. */
  readonly silentSinceMs: number;
  /** When the first FIN came; Infinity while none has. */
  readonly halfClosedMs: number;
}

export const relayTimers: readonly Timer<
  'lifetime-exceeded' | 'half-closed-timeout' | 'idle-timeout',
  RelayTimes
>[] = [
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

export const dialTimers: readonly Timer<'client-left' | 'connect-timeout', DialTimes>[] = [
  { name: 'client-left', dueMs: ({ leftMs }) => leftMs },
  { name: 'connect-timeout', dueMs: ({ untilMs }) => untilMs },
];

/** How long a peer that was sent FIN may take to close, before it is reset. */
export const lingerMs = 1_000;

export function soonestMs<Name, Times>(timers: readonly Timer<Name, Times>[], times: Times): number {
  let soonest = Number.POSITIVE_INFINITY;
  for (const timer of timers) soonest = Math.min(soonest, timer.dueMs(times));
  return soonest;
}

/** The timer that counts, if its time has come. */
export function whatIsOver<Name, Times>(
  timers: readonly Timer<Name, Times>[],
  times: Times,
  nowMs: number,
): Name | undefined {
  const dueMs = soonestMs(timers, times);
  return dueMs > nowMs ? undefined : timers.find((timer) => timer.dueMs(times) === dueMs)?.name;
}
