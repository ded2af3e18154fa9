/** What a route of the admin API is, and what it may show and set in motion. */
import type { Changes } from '../../config/changes.ts';
import type { Explanation, Inquiry } from '../../core/explain/explanation.ts';
import type { Plan } from '../../core/plan.ts';
import type { Metrics, MetricsSource } from '../../telemetry/metrics.ts';
import type { Phase } from '../../telemetry/snapshot.ts';
import type { Reply } from '../http.ts';

export interface Route {
  readonly path: string;
  /** GET answers HEAD too. */
  readonly method: 'GET' | 'POST';
  /** Answers without a token, so that whatever watches the process needs no secret. */
  readonly open?: boolean;
  /** What it wants to be sent; a route without one reads past whatever is. */
  readonly body?: { readonly type: 'application/json'; readonly mostBytes: number };
  reply(deps: RouteDeps, body: Buffer): Reply | Promise<Reply>;
}

export interface RouteDeps {
  readonly source: AdminSource;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** The running proxy, as far as the admin API has to do with it. */
export interface AdminSource extends MetricsSource {
  readonly plan: Plan;
  readonly phase: Phase;
  /** What would become of a client of one of the plan's listeners now. Changes nothing. */
  explain(inquiry: Inquiry): Explanation;
  /** Settings of the file that hold from the next restart on. */
  readonly pendingRestart: readonly string[];
  /**
   * Reads the configuration again. What is wrong with it, or can't be done, is told and changes nothing. `trigger` says
   * in a word or two who asks for it.
   */
  reload(trigger: string): Promise<ReloadResult>;
}

export type ReloadResult =
  | { readonly ok: true; readonly changes: Changes; readonly pendingRestart: readonly string[] }
  | { readonly ok: false; readonly errors: readonly ReloadError[] };

/** Where it is a mistake in the file, with its place; else with a message alone. */
export interface ReloadError {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly path?: string | undefined;
  readonly message: string;
}
