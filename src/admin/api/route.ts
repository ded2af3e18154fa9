/** What a route of the admin API is, and what it may show and set in motion. */
import type { Changes } from '../../config/changes.ts';
import type { OperatorCommands } from '../../control/operator-commands.ts';
import type { ProxyView } from '../../control/proxy-view.ts';
import type { Sessions } from '../../control/sessions.ts';
import type { Events } from '../../telemetry/events.ts';
import type { History } from '../../telemetry/history.ts';
import type { Metrics, MetricsSource } from '../../telemetry/metrics.ts';
import type { Permission } from '../access.ts';
import type { Reply } from '../http.ts';
import type { Snapshots } from './snapshots.ts';

export interface Route {
  /** A part in braces stands for any one, percent-decoded: `/api/v1/pools/{pool}`. */
  readonly path: string;
  /** GET answers HEAD too. */
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** What a token must allow; `none` answers without one, so that a monitor of the process needs no secret. */
  readonly may: Permission | 'none';
  /** The body that it expects; a route without one ignores a body. */
  readonly body?: { readonly type: 'application/json'; readonly mostBytes: number };
  /** The keys of its query, each at most once. A route without them ignores a query. */
  readonly query?: readonly string[];
  /** Whether it looks at If-Match; to others that change something, no revision is the right one. */
  readonly hasRevision?: true;
  /** Answers also before there are listeners and pools; others are refused with 503 until then. */
  readonly whileStarting?: true;
  reply(deps: RouteDeps, request: ApiRequest): Reply | Promise<Reply>;
}

export interface ApiRequest {
  readonly body: Buffer;
  /** The parts of the path that the route has in braces. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The name of the token that the request bears, or where it comes from. */
  readonly by: string;
  /** What the client may do. */
  readonly may: Permission;
  /** The version that the client has already, of If-None-Match. */
  readonly known: string | undefined;
  /** The revision that is to be changed, of If-Match. */
  readonly revision: string | undefined;
  /** The id of the event after which a stream continues. */
  readonly lastEventId: string | undefined;
  /** Aborted once the client has left. */
  readonly left: AbortSignal;
}

export interface RouteDeps extends AdminSource {
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly snapshots: Pick<Snapshots, 'watch'>;
}

/** The running proxy, as far as the admin API has to do with it. */
export interface AdminSource extends MetricsSource {
  readonly view: Pick<
    ProxyView,
    | 'plan'
    | 'config'
    | 'phase'
    | 'snapshot'
    | 'pool'
    | 'probeLag'
    | 'explain'
    | 'busiestClients'
    | 'administration'
  >;
  readonly operator: Pick<
    OperatorCommands,
    'patchBackend' | 'patchPool' | 'patchListener' | 'resetOverrides' | 'setCircuit'
  >;
  readonly sessions: Pick<Sessions, 'list' | 'end' | 'endAll'>;
  readonly events: Events;
  readonly history: History;
  /** Settings of the file that hold from the next restart on. */
  pendingRestart(): readonly string[];
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
