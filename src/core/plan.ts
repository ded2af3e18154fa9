/**
 * What the core is told to do: a checked configuration with every default filled in, names resolved to
 * addresses and every listener, pool and backend given its slot in the ledger. Immutable; a reload brings a
 * new one. Durations are in milliseconds; `Infinity` stands for `unlimited`.
 */

/** Where a listener, pool or backend has its numbers in the ledger: stable over reloads. */
export type ListenerSlot = number;
export type PoolSlot = number;
export type BackendSlot = number;

/** Where to listen or dial: `host` is an IP address without brackets, never a name. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
}

export interface ListenerPlan {
  readonly slot: ListenerSlot;
  readonly name: string;
  /** Where connections go when no route matches. */
  readonly pool: PoolSlot;
  readonly policy: ListenerPolicy;
}

export interface ListenerPolicy {
  readonly limits: ListenerLimits;
  readonly timeouts: SessionTimeouts;
  /** What a refused client sees. */
  readonly refuseWith: 'reset' | 'close';
}

export interface ListenerLimits extends ClientLimits {
  readonly perClient: ClientLimits;
}

export interface ClientLimits {
  readonly maxConnections: number;
  /** Rate of the token bucket, `Infinity` for none; `burst` is its size. */
  readonly connectionsPerSecond: number;
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
}

export const balances = [
  'round-robin',
  'least-connections',
  'random',
  'power-of-two',
  'source-hash',
  'first',
] as const;

export type Balance = (typeof balances)[number];

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
  /** Whether the pool is probed: without probes, health stays unknown. */
  readonly probed: boolean;
}

export interface ConnectPolicy {
  readonly timeoutMs: number;
  /** Further dials after the first. */
  readonly retries: number;
  /** The wait before dialing the same backend again: exponential, full jitter. */
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
}

export interface CircuitBreakerPolicy {
  readonly consecutiveFailures: number;
  readonly openForMs: number;
  readonly maxOpenForMs: number;
  readonly halfOpenTrials: number;
}

export interface PoolLimits {
  readonly maxConnections: number;
  readonly queue: { readonly size: number; readonly timeoutMs: number };
}

export interface BackendPlan {
  readonly slot: BackendSlot;
  /** As people write it: `10.0.0.1:9000`, `[::1]:9000`, `unix:/run/app.sock`. */
  readonly name: string;
  readonly address: Address;
  /** 0 is drained: no new sessions. */
  readonly weight: number;
  readonly backup: boolean;
  readonly maxConnections: number;
}
