import type { Ledger } from '../core/ledger/ledger.ts';
import type { Plan } from '../core/plan.ts';

/** What metrics and status are made of; read anew each time, for a reload brings a new plan. */
export interface MetricsSource {
  /** A pool's backends have different names. */
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly phase: Phase;
  readonly build: Build;
}

/** `starting` until all listeners accept, `draining` once the process has been told to stop. */
export type Phase = 'starting' | 'serving' | 'draining';

export interface Build {
  readonly version: string;
  /** Of Node.js. */
  readonly node: string;
  /** The driver that runs. */
  readonly driver: string;
  /** For people: why that one. */
  readonly driverReason: string;
}
