/**
 * What the core is told to do: a checked configuration with every default filled in, names resolved to
 * addresses and every listener, pool and backend given its slot in the ledger. Immutable; a reload brings a
 * new one. Durations are in milliseconds; `Infinity` stands for `unlimited`.
 */
import type { AccessPolicy } from './access/access-policy.ts';
import type { AddressSet } from './access/address-set.ts';
import type { AdminState } from './admin-state.ts';
import type { Balance } from './balancers/table.ts';
import type { Protocol } from './wire/protocol.ts';

/** Where a listener, pool, backend or split has its numbers in the ledger: stable over reloads. */
export type ListenerSlot = number;
export type PoolSlot = number;
export type BackendSlot = number;
export type SplitSlot = number;

/** Where to listen or dial: `host` is an IP address without brackets, never a name. */
export type Address =
  | { readonly host: string; readonly port: number }
  /** `mode`: the permissions of a unix socket that is listened on; without it, what the process's umask leaves. */
  | { readonly path: string; readonly mode?: number };

export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
}

export interface ListenerPlan {
  readonly slot: ListenerSlot;
  readonly name: string;
  /** Where connections go when no route matches; without one they are refused. */
  readonly pool: PoolSlot | undefined;
  /** The first that matches wins. */
  readonly routes: readonly RoutePlan[];
  readonly policy: ListenerPolicy;
}

export interface RoutePlan {
  readonly when: RouteCondition;
  readonly to: PoolSlot | SplitPlan;
}

/** Sessions are spread over pools by weight, exactly over time: a canary. */
export interface SplitPlan {
  readonly slot: SplitSlot;
  readonly shares: readonly { readonly pool: PoolSlot; readonly weight: number }[];
}

/** All that are given must match; of a list, any. Names are in lower case, and may begin with `*.`. */
export interface RouteCondition {
  readonly sni: readonly string[] | undefined;
  readonly alpn: readonly string[] | undefined;
  readonly protocol: readonly Protocol[] | undefined;
  readonly httpHost: readonly string[] | undefined;
  readonly client: AddressSet | undefined;
}

export interface ListenerPolicy {
  readonly access: AccessPolicy;
  readonly limits: ListenerLimits;
  readonly timeouts: SessionTimeouts;
  /** What a refused client sees. */
  readonly refuseWith: 'reset' | 'close';
  readonly proxyProtocol: ProxyProtocolPolicy | 'off';
  readonly inspect: InspectPolicy;
  readonly tls: ListenerTls | 'off';
}

/** The clients whose PROXY protocol headers are believed. */
export interface ProxyProtocolPolicy {
  /** `optional`: a client that sends no header is taken for itself. */
  readonly mode: 'required' | 'optional';
  readonly from: AddressSet;
  /** Whether clients over a unix socket, which come from no network, are believed. */
  readonly fromUnix: boolean;
  /** Within this the header must have come in full. */
  readonly timeoutMs: number;
}

/** How long, and at how many bytes, routes look for what they want to know. */
export interface InspectPolicy {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /**
   * What becomes of a client whose HTTP or TLS leaves undecided what a route asks for that may match: it is refused,
   * or that is taken for absent.
   */
  readonly undecided: 'refuse' | 'fallback';
}

/** The text of PEM files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Keys and certificates are the text of PEM files. */
export interface ListenerTls {
  /** Chosen by SNI; the first where none fits. */
  readonly certificates: readonly KeyPair[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** In the order of preference; none offers none. */
  readonly alpn: readonly string[];
  readonly clientAuth: 'off' | 'optional' | 'required';
  readonly clientCa: string | undefined;
  readonly handshakeTimeoutMs: number;
}

export interface ListenerLimits extends ClientLimits {
  /** Clients of IPv6 that agree in so many first bits count as one, here and for `source-hash`. */
  readonly perClient: ClientLimits & { readonly ipv6Prefix: number };
}

export interface ClientLimits extends ConnectionRate {
  readonly maxConnections: number;
}

/** Of a token bucket. */
export interface ConnectionRate {
  /** `Infinity` for none. */
  readonly connectionsPerSecond: number;
  /** The size of the bucket. */
  readonly burst: number;
}

export interface SessionTimeouts {
  /** No byte in either direction. */
  readonly idleMs: number;
  /** One side has finished and the other is silent. */
  readonly halfClosedMs: number;
  readonly maxLifetimeMs: number;
}

export interface PoolPlan {
  readonly slot: PoolSlot;
  readonly name: string;
  readonly policy: PoolPolicy;
  readonly backends: readonly BackendPlan[];
  /** Its clients wait, or go after having waited. */
  readonly hold?: PoolHold | undefined;
}

export interface PoolHold {
  /**
   * `held`: no backend is dialed, and dials under way are given up. `releasing`: the hold is over, and those who wait
   * go.
   */
  readonly phase: 'held' | 'releasing';
  /** How long each session may wait, from when it began to. */
  readonly timeoutMs: number;
  /** Sessions that go to a backend in a second, on all workers together; `Infinity`: as many as wait. */
  readonly ratePerSecond: number;
}

export interface PoolPolicy {
  readonly balance: Balance;
  readonly connect: ConnectPolicy;
  readonly circuitBreaker: CircuitBreakerPolicy | 'off';
  readonly limits: PoolLimits;
  /** How long a recovered backend takes from 10 % to all of its weight; 0 is `off`. */
  readonly slowStartMs: number;
  readonly whenBackendDown: 'keep' | 'close';
  /** Below this share of healthy backends, in percent, health is ignored. */
  readonly panicThresholdPercent: number;
}

export interface ConnectPolicy {
  readonly timeoutMs: number;
  /** Further dials after the first. */
  readonly retries: number;
  /** The wait before dialing the same backend again: exponential, full jitter. */
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
  readonly proxyProtocol: SentProxyProtocol | 'off';
  readonly tls: BackendTls | 'off';
}

/** What goes out ahead of a session's bytes. Version 1 has no room for `include`. */
export interface SentProxyProtocol {
  readonly version: 'v1' | 'v2';
  readonly include: readonly ('sni' | 'alpn' | 'unique-id' | 'crc32c')[];
}

/** Keys and certificates are the text of PEM files. */
export interface BackendTls {
  /** The name that is sent and verified; undefined is the backend's own, its address. */
  readonly servername: string | undefined;
  /** The authorities that sign backends' certificates; undefined are the system's. */
  readonly ca: string | undefined;
  readonly verify: boolean;
  /** What the proxy shows of itself. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface CircuitBreakerPolicy {
  readonly consecutiveFailures: number;
  readonly openForMs: number;
  readonly maxOpenForMs: number;
  readonly halfOpenTrials: number;
}

export interface PoolLimits {
  readonly maxConnections: number;
  readonly queue: QueuePolicy;
}

export interface QueuePolicy {
  /** Sessions that may wait; 0 is no queue. */
  readonly size: number;
  readonly timeoutMs: number;
  /** `wait`: a session also waits for the first backend to come up, and dials again until its time is over. */
  readonly whenNoBackend?: 'refuse' | 'wait';
}

export interface BackendPlan {
  readonly slot: BackendSlot;
  /** As people write it: `10.0.0.1:9000`, `[::1]:9000`, `unix:/run/app.sock`. */
  readonly name: string;
  readonly address: Address;
  /** The name that its address was resolved from, for TLS; undefined where it was written as an address. */
  readonly hostName: string | undefined;
  /** The strictest of what configuration, operator and source want. */
  readonly state: AdminState;
  /** In steps of a thousandth. 0 takes no new sessions, as `drain`. */
  readonly weight: number;
  readonly backup: boolean;
  /** Backups of a rank are asked while none of the ranks before can serve; absent is 0, the first. */
  readonly backupRank?: number;
  readonly maxConnections: number;
}

/** In which order the backends of a pool are asked: primaries first, then backups by their rank. */
export function tierOf({ backup, backupRank = 0 }: Pick<BackendPlan, 'backup' | 'backupRank'>): number {
  return backup ? 1 + backupRank : 0;
}
