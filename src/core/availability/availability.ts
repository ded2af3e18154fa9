/** Why a backend cannot take a session now. */
import type { Backend } from '../backend.ts';

/** Whether each applies; the first that does counts, in this order. In panic, health is ignored, and nothing else. */
const whyNots = {
  maint: ({ plan }) => plan.state === 'maint',
  drained: ({ isWanted }) => !isWanted,
  down: (backend, _, inPanic) => !inPanic && backend.isDown,
  'circuit-open': ({ breaker }, nowMs) => breaker !== undefined && !breaker.admits(nowMs),
  full: (backend) => backend.active >= backend.plan.maxConnections,
} satisfies Record<string, (backend: Backend, nowMs: number, inPanic: boolean) => boolean>;

export type Unavailability = keyof typeof whyNots;

/** Undefined where it can take one. */
export function unavailability(
  backend: Backend,
  nowMs: number,
  inPanic: boolean,
): Unavailability | undefined {
  for (const [name, applies] of inOrder) if (applies(backend, nowMs, inPanic)) return name;
  return undefined;
}

/** A literal's keys are those that its type has, in the order of the text. */
const inOrder = Object.entries(whyNots) as [Unavailability, (typeof whyNots)[Unavailability]][];
