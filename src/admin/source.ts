import type { Explanation, Inquiry } from '../core/explain/explanation.ts';
import type { ListenerPlan, PoolPlan } from '../core/plan.ts';
import type { Unavailability } from '../core/reasons.ts';
import type { MetricsSource } from '../telemetry/metrics-source.ts';

/** What the admin API shows and sets in motion; the control plane is one. */
export interface AdminSource extends MetricsSource {
  /** The addresses that each listener of the plan is bound to, as people write them; none while it starts. */
  bound(): ReadonlyMap<string, readonly string[]>;
  /** The driver that serves a listener of the plan. */
  driverOf(listener: ListenerPlan): string;
  /** Why each backend of a pool takes no session now, in the plan's order: the core's own answer. */
  unavailabilities(pool: PoolPlan): readonly (Unavailability | undefined)[];
  /** What would become of a client of one of the plan's listeners now. Changes nothing. */
  explain(inquiry: Inquiry): Explanation;
  /** Reads the configuration again. What is wrong with it, or can't be done, is told and changes nothing. */
  reload(): Promise<ReloadResult>;
}

export type ReloadResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly errors: readonly ReloadError[] };

/** Where it is a mistake in the file, with its place; else with a message alone. */
export interface ReloadError {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly path?: string | undefined;
  readonly message: string;
}
