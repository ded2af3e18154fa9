/** How all backends of a pool stand now, for people: a pool is looked at once, however many backends it has. */
import { Backend } from '../backend.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type PoolPlan, tierOf } from '../plan.ts';
import { inPanic } from '../pool.ts';
import { type Unavailability, unavailability } from './availability.ts';

export interface PoolStanding {
  /** In panic, where too few backends are healthy for health to count. */
  readonly ignoresHealth: boolean;
  /** In the order of the plan. */
  readonly backends: readonly BackendStanding[];
}

export interface BackendStanding {
  readonly backend: Backend;
  readonly backup: boolean;
  /** In which order it is asked: see `tierOf`. */
  readonly tier: number;
  /** Why it takes no session now. */
  readonly unavailable: Unavailability | undefined;
}

/** The cost grows with the backends and no faster. */
export function standingOf(
  { policy, backends }: PoolPlan,
  ledger: Ledger,
  nowMs: number,
  random: () => number,
): PoolStanding {
  const known = backends.map((plan) => ({
    backend: new Backend(plan, policy, ledger, random),
    backup: plan.backup,
    tier: tierOf(plan),
  }));
  const ignoresHealth = inPanic(
    policy,
    known.map(({ backend }) => backend),
  );
  return {
    ignoresHealth,
    backends: known.map((one) => ({
      ...one,
      unavailable: unavailability(one.backend, nowMs, ignoresHealth),
    })),
  };
}
