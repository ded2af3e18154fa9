/** What a route of the admin API is, and what it may show and set in motion. */
import type { Changes } from '../../config/changes.ts';
import type { Config } from '../../config/config.ts';
import type {
  Administered,
  AdministeredListener,
  AdministeredPool,
  PoolPatch,
} from '../../control/administration.ts';
import type { BackendName, BackendPatch, Mark, Override } from '../../control/overrides.ts';
import type { Sessions } from '../../control/sessions.ts';
import type { Accept } from '../../core/admin-state.ts';
import type { BusyClients } from '../../core/busiest-clients.ts';
import type { Explanation, Inquiry } from '../../core/explain/explanation.ts';
import type { Plan } from '../../core/plan.ts';
import type { Events } from '../../telemetry/events.ts';
import type { History } from '../../telemetry/history.ts';
import type { Metrics, MetricsSource } from '../../telemetry/metrics.ts';
import type { Phase, PoolSnapshot } from '../../telemetry/snapshot.ts';
import type { Permission } from '../access.ts';
import type { Reply } from '../http.ts';
import type { Snapshots } from './snapshots.ts';

export interface Route {
  /** A part in braces stands for any one, percent-decoded: `/api/v1/pools/{pool}`. */
  readonly path: string;
  /** GET answers HEAD too. */
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** What a token must allow; `none` answers without one, so that whatever watches the process needs no secret. */
  readonly may: Permission | 'none';
  /** What it wants to be sent; a route without one reads past whatever is. */
  readonly body?: { readonly type: 'application/json'; readonly mostBytes: number };
  reply(deps: RouteDeps, request: ApiRequest): Reply | Promise<Reply>;
}

export interface ApiRequest {
  readonly body: Buffer;
  /** The parts of the path that the route has in braces. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The name of the token that the request bears, or where it comes from. */
  readonly by: string;
  /** What whoever asks may do. */
  readonly may: Permission;
  /** The version that the client has already, of If-None-Match. */
  readonly known: string | undefined;
  /** The revision that is to be changed, of If-Match. */
  readonly revision: string | undefined;
  /** Behind which event a stream goes on. */
  readonly lastEventId: string | undefined;
  /** Aborted once the client has left. */
  readonly left: AbortSignal;
}

export interface RouteDeps {
  readonly source: AdminSource;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly snapshots: Pick<Snapshots, 'watch'>;
}

/** The running proxy, as far as the admin API has to do with it. */
export interface AdminSource extends MetricsSource, RuntimeAdministration {
  readonly plan: Plan;
  /** What runs now, as the file says it. */
  readonly config: Config;
  readonly phase: Phase;
  readonly events: Events;
  readonly history: History;
  readonly sessions: Pick<Sessions, 'list' | 'end' | 'endAll'>;
  /** One pool as it is now; undefined where there is none of the name. */
  pool(name: string): PoolSnapshot | undefined;
  /** What would become of a client of one of the plan's listeners now. Changes nothing. */
  explain(inquiry: Inquiry): Explanation;
  /** The clients of a listener that have most connections; undefined where there is no such listener. */
  busiestClients(listener: string, most: number): BusyClients | undefined;
  /** Settings of the file that hold from the next restart on. */
  readonly pendingRestart: readonly string[];
  /**
   * Reads the configuration again. What is wrong with it, or can't be done, is told and changes nothing. `trigger` says
   * in a word or two who asks for it.
   */
  reload(trigger: string): Promise<ReloadResult>;
}

/**
 * Each throws or rejects with an UnknownName where there is no such thing; a patch rejects with a StaleRevision where
 * that is another than the one given.
 */
export interface RuntimeAdministration {
  readonly overrides: readonly Override[];
  administered(name: BackendName): Administered;
  administeredPool(name: string): AdministeredPool;
  patchBackend(name: BackendName, patch: BackendPatch, mark: Mark, revision?: string): Promise<void>;
  patchPool(name: string, patch: PoolPatch, mark: Mark, revision?: string): Promise<void>;
  administeredListener(name: string): AdministeredListener;
  /** Rejects with a BindError too, where it can't listen. */
  patchListener(name: string, accept: Accept | null, mark: Mark, revision?: string): Promise<void>;
  /** False where the pool has no breaker. An opening by hand ends after so long, by a trial. */
  setCircuit(name: BackendName, to: 'closed' | 'open', openForMs: number): boolean;
  /** For one backend, or for everything. */
  resetOverrides(name: BackendName | undefined, mark: Mark): Promise<void>;
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
