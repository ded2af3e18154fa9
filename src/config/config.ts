/**
 * A configuration that has been checked: complete, immutable, durations in milliseconds, sizes in bytes,
 * `Infinity` for `unlimited`. Nobody checks it again.
 */
import type { Address } from '../core/contract.ts';
import type {
  BackendTls,
  ListenerPolicy,
  PoolPolicy,
  RouteCondition,
  SentProxyProtocol,
} from '../core/plan.ts';
import type { SessionField } from './session-fields.ts';

export interface Config {
  /** Data-plane threads; `auto` is one per CPU. */
  readonly workers: number | 'auto';
  readonly driver: 'auto' | 'uring' | 'portable';
  readonly memory: MemoryConfig;
  /** In the file's order. */
  readonly listeners: readonly ListenerConfig[];
  readonly pools: readonly PoolConfig[];
  readonly admin: AdminConfig | 'off';
  readonly log: LogConfig;
  readonly shutdown: ShutdownConfig;
  readonly resolver: ResolverConfig;
}

export interface MemoryConfig {
  /** All that peers can make the proxy hold, over all workers; `auto` is what `bufferBytes` makes of it. */
  readonly bufferBytes: number | 'auto';
}

export interface ListenerConfig {
  readonly name: string;
  readonly bind: readonly Address[];
  /** Name of the pool where connections go when no route matches. */
  readonly pool: string | undefined;
  /** The first that matches wins. */
  readonly routes: readonly RouteConfig[];
  readonly policy: ListenerPolicy;
}

export interface RouteConfig {
  readonly when: RouteCondition;
  /** Names of pools with their weights; one pool has one entry. */
  readonly to: readonly { readonly pool: string; readonly weight: number }[];
}

export interface PoolConfig {
  readonly name: string;
  readonly policy: PoolPolicy;
  readonly backends: readonly BackendConfig[];
  readonly healthCheck: HealthCheckConfig | undefined;
  readonly agentCheck: AgentCheckConfig | undefined;
}

export interface BackendConfig {
  readonly target: Target;
  readonly weight: number;
  readonly backup: boolean;
  readonly maxConnections: number;
}

/** What a backend's address means: an address, or a name that stands for some. */
export type Target =
  /** `hostName` is how it was written, where that was a name. */
  | { readonly kind: 'address'; readonly address: Address; readonly hostName?: string }
  | { readonly kind: 'name'; readonly name: string; readonly port: number }
  | PrefixedTarget;

/** A name that is written behind its kind: `srv:_pg._tcp.db.internal`. */
export interface PrefixedTarget {
  readonly kind: 'srv';
  readonly name: string;
}

/** How backends are asked what they say of themselves. */
export interface AgentCheckConfig {
  readonly port: number;
  /** Undefined is the backend's own. */
  readonly host: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly send: string | undefined;
  /** Means the same as in a health check. */
  readonly jitterPercent: number;
}

export interface HealthCheckConfig {
  readonly probe: ProbeConfig;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  /** Share of the interval, in percent, by which each wait may be longer or shorter. */
  readonly jitterPercent: number;
  /** Where to probe instead of the backend's own port. */
  readonly port: number | undefined;
  /** How the probe connects at the backend's own address: as sessions do, but for what the check says itself. */
  readonly connection: CheckConnection;
  /** How it connects at `port`: what listens there is sent only what the check asks for. */
  readonly connectionElsewhere: CheckConnection;
}

export interface CheckConnection {
  readonly proxyProtocol: SentProxyProtocol['version'] | 'off';
  readonly tls: BackendTls | 'off';
}

export type ProbeConfig =
  | { readonly type: 'tcp' | 'tls' }
  | { readonly type: 'http' | 'https'; readonly http: ProbeHttp }
  /** Sends the text, where there is one, and passes once the answer begins with the other. */
  | { readonly type: 'send-expect'; readonly send: string | undefined; readonly expect: string };

export interface ProbeHttp {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST';
  readonly path: string;
  /** The Host header; undefined sends the backend's name or address. */
  readonly host: string | undefined;
  /** Inclusive ranges. */
  readonly expectStatus: readonly { readonly from: number; readonly to: number }[];
}

export interface AdminConfig {
  readonly bind: Address;
  /** A request must bear one of them; without any, every client may do everything. */
  readonly tokens: readonly AdminToken[];
  /** The file that keeps overrides over a restart. */
  readonly state: string | undefined;
}

/** Its bearer may look, or change things too; `name` is for the log. */
export interface AdminToken {
  readonly name: string;
  readonly token: string;
  readonly may: 'read' | 'operate';
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** The absolute path of the file that lines go to; undefined is standard output. */
  readonly file: string | undefined;
  /** One line for each finished session, and maybe others before. */
  readonly sessions: boolean | SessionLines;
  /** Also for clients that left before they were routed and without a byte, as checks of balancers do. */
  readonly emptySessions: boolean;
  /** What those lines have, in this order; undefined is all that is known of the session. */
  readonly fields: readonly SessionField[] | undefined;
  /** The share of the lines of sessions that went well that is written, in percent. */
  readonly samplePercent: number;
}

/** Lines of sessions that go on. */
export interface SessionLines {
  /** One when a backend serves the session. */
  readonly start: boolean;
  /** The time between two lines of one session; `Infinity`: no such lines. */
  readonly everyMs: number;
}

export interface ShutdownConfig {
  /** How long listeners go on accepting once the process has been told to stop and is not ready any more. */
  readonly delayMs: number;
  /** How long open sessions may take to finish after that. */
  readonly graceMs: number;
}

export interface ResolverConfig {
  /** Name servers as `address:port`; none means the system's. */
  readonly servers: readonly string[];
  readonly timeoutMs: number;
}
