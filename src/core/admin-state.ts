/**
 * What people want of a backend, whatever its checks say: `ready` takes sessions; `drain` takes no new ones and keeps
 * those it has; `maint` is drained and not checked either. Several may want something of the same backend, and the
 * strictest counts, so that nobody lifts what another has asked for.
 */
export const adminStates = ['ready', 'drain', 'maint'] as const;
export type AdminState = (typeof adminStates)[number];

/** What operators want of a listener: with `paused` clients wait in the system's queue, with `off` they are refused. */
export const accepts = ['on', 'paused', 'off'] as const;
export type Accept = (typeof accepts)[number];

/** What may want something of a backend: the configuration, an operator (the admin API), the backend or a directory. */
export const layers = ['configuration', 'operator', 'source'] as const;
export type Layer = (typeof layers)[number];

export function strictest(states: readonly AdminState[]): AdminState {
  const strictness = Math.max(0, ...states.map((state) => adminStates.indexOf(state)));
  return adminStates[strictness] ?? 'ready';
}
