/**
 * Why a session ended: one closed set, used alike in logs, metrics and the admin API. Adding a reason is
 * adding one literal here; the ledger then has a counter for it and the compiler lists every `switch` that
 * must speak of it.
 */
const ranReasons = [
  'finished',
  'client-reset',
  'backend-reset',
  'idle-timeout',
  'half-closed-timeout',
  'lifetime-exceeded',
  'drain-timeout',
  'backend-down',
  'operator',
] as const;

export const reasons = [
  // it ran, and ended
  ...ranReasons,
  // refused before a backend was asked
  'denied',
  'listener-full',
  'client-full',
  'rate-limited',
  'no-route',
  'bad-proxy-header',
  'inspect-timeout',
  'tls-failed',
  'overloaded',
  // no backend to be had
  'no-backend',
  'pool-full',
  'queue-full',
  'queue-timeout',
  'connect-refused',
  'connect-timeout',
  'connect-failed',
  'client-left',
] as const;

export type Reason = (typeof reasons)[number];

/** Whether a session that ended so was served: else it was refused, or found no backend, or its client left. */
export function hasRun(reason: Reason): boolean {
  return (ranReasons as readonly Reason[]).includes(reason);
}

/** How a client ends that was not served, though it stayed. */
export const refusals = reasons.filter((reason) => reason !== 'client-left' && !hasRun(reason));

/** How a session ends that a backend has served: the last is one whose worker has died. */
export const servedReasons = [...ranReasons, 'overloaded'] as const;

export type ServedReason = (typeof servedReasons)[number];

/** Why a dial failed, in the words of a session that ends of it. */
export const dialFailures = ['connect-refused', 'connect-timeout', 'connect-failed'] as const;

export type DialFailure = (typeof dialFailures)[number];

/** Which side has ended a session. */
export type EndedBy = 'client' | 'backend' | 'proxy';
