/** What ends a session's stage by time. Of several timers in a stage the soonest counts, of two at once the upper one. */
import type { SessionTimeouts } from './plan.ts';

export interface Timer<Name, Times> {
  readonly name: Name;
  dueMs(times: Times): number;
}

export interface RelayTimes {
  readonly timeouts: SessionTimeouts;
  readonly acceptedMs: number;
  readonly relayingSinceMs: number;
  /** When the first FIN came; Infinity while none has. */
  readonly halfClosedMs: number;
  /** May be older than the relay and than the FIN: a silence begins with the latest of them. */
  readonly lastByteMs: number;
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
    dueMs: ({ lastByteMs, relayingSinceMs, halfClosedMs, timeouts }) =>
      Math.max(lastByteMs, relayingSinceMs, halfClosedMs) + timeouts.halfClosedMs,
  },
  {
    name: 'idle-timeout',
    dueMs: ({ lastByteMs, relayingSinceMs, timeouts }) =>
      Math.max(lastByteMs, relayingSinceMs) + timeouts.idleMs,
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

export function soonest<Name, Times>(
  timers: readonly Timer<Name, Times>[],
  times: Times,
): { readonly name: Name | undefined; readonly dueMs: number } {
  let name: Name | undefined;
  let dueMs = Number.POSITIVE_INFINITY;
  for (const timer of timers) {
    const atMs = timer.dueMs(times);
    if (atMs >= dueMs) continue;
    name = timer.name;
    dueMs = atMs;
  }
  return { name, dueMs };
}
