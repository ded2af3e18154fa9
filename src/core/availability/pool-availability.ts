/** Which backends of a pool can take a session now, and why the others cannot: for people. */
import { Backend } from '../backend.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PoolPlan } from '../plan.ts';
import { inPanic } from '../pool.ts';
import { type Unavailability, unavailability } from './availability.ts';

export interface PoolAvailability {
  /** In panic, where too few backends are healthy for health to count. */
  readonly ignoresHealth: boolean;
  /** In the order of the plan. */
  readonly backends: readonly BackendAvailability[];
}

export interface BackendAvailability {
  readonly backend: Backend;
  /** Why it takes no session now. */
  readonly unavailable: Unavailability | undefined;
}

/** The cost grows linearly with the backends. */
export function poolAvailability(
  { policy, backends }: PoolPlan,
  ledger: Ledger,
  nowMs: number,
  random: () => number,
): PoolAvailability {
  const known = backends.map((plan) => new Backend(plan, policy, ledger, random));
  const ignoresHealth = inPanic(policy, known);
  return {
    ignoresHealth,
    backends: known.map((backend) => ({
      backend,
      unavailable: unavailability(backend, nowMs, ignoresHealth),
    })),
  };
}
