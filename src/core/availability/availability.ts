/** Why a backend cannot take a session now. */
import type { Backend } from '../backend.ts';
import type { Unavailability } from '../reasons.ts';

interface WhyNot {
  readonly name: Unavailability;
  /** In panic, health is ignored. */
  applies(backend: Backend, nowMs: number, inPanic: boolean): boolean;
}

/** The first that applies counts. */
const whyNots: readonly WhyNot[] = [
  { name: 'drained', applies: ({ weight }) => weight === 0 },
  { name: 'down', applies: (backend, _, inPanic) => !inPanic && backend.isDown },
  {
    name: 'circuit-open',
    applies: ({ breaker }, nowMs) => breaker !== undefined && !breaker.admits(nowMs),
  },
  { name: 'full', applies: (backend) => backend.active >= backend.maxConnections },
];

/** Undefined where it can take one. */
export function unavailability(
  backend: Backend,
  nowMs: number,
  inPanic: boolean,
): Unavailability | undefined {
  for (const whyNot of whyNots) if (whyNot.applies(backend, nowMs, inPanic)) return whyNot.name;
  return undefined;
}
