import type { Explanation, Inquiry } from '../core/explain/explanation.ts';
import type { MetricsSource } from '../telemetry/metrics.ts';
import type { Phase } from '../telemetry/snapshot.ts';

/** What the admin API shows and sets in motion; the control plane is one. */
export interface AdminSource extends MetricsSource {
  readonly phase: Phase;
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
