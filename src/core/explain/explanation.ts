/**
 * What would become of a client, and why: plain values, as JSON and people see them. Where an operator's limit is
 * none it reads `unlimited`.
 */

import type { Unavailability } from '../availability/availability.ts';
import type { Balance } from '../balancers/table.ts';
import type { CircuitState, Health } from '../ledger/ledger.ts';
import type { RouteCondition } from '../plan.ts';
import type { Reason } from '../reasons.ts';
import type { Protocol } from '../wire/protocol.ts';

/**
 * A client as it is described. Of what it says, either nothing is known (then it is silent), or all of it: what
 * is not mentioned is not there.
 */
export interface Inquiry {
  /** The name of a listener of the plan. */
  readonly listener: string;
  /** The other end of its connection. */
  readonly client: { readonly address: string; readonly port: number };
  /** The server name of its TLS hello, in lower case. */
  readonly sni?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
  /** In lower case, without port. */
  readonly httpHost?: string | undefined;
  readonly protocol?: Protocol | undefined;
  /**
   * The first that it sends: a PROXY protocol header, where one is believed, then what routes look at. Behind a
   * handshake that ends here these are plain bytes, or the hello.
   */
  readonly bytes?: Uint8Array | undefined;
}

export interface Explanation {
  readonly listener: { readonly name: string } & Usage;
  /** As it is judged: whom a PROXY header announces, where one is believed. */
  readonly client: { readonly address: string; readonly announcedBy: string | null } & Partial<Usage>;
  readonly proxyHeader: ProxyHeaderVerdict;
  readonly access: AccessVerdict | 'not-reached';
  readonly tls: 'off' | 'terminated';
  /** What is known of what it says; `null` is known to be absent. */
  readonly seen: {
    readonly protocol?: Protocol;
    readonly sni?: string | null;
    readonly alpn?: readonly string[] | null;
    readonly httpHost?: string | null;
  };
  /** What the proxy would wait for until the time-out; the outcome is what comes then. */
  readonly waits: readonly Wait[];
  readonly routes: readonly RouteExplanation[];
  readonly fallback: { readonly pool: string | null; readonly verdict: 'taken' | 'not-reached' };
  /** The pool that it comes to. */
  readonly pool: PoolExplanation | null;
  readonly outcome: Outcome;
}

export type Limit = number | 'unlimited';

/** How full it is. */
export interface Usage {
  readonly active: number;
  readonly maxConnections: Limit;
}

/**
 * `not-believed`: from this client none is. `absent`: what it says is none. `incomplete`: it may become one.
 * `own`: one that announces nobody.
 */
export type ProxyHeaderVerdict =
  | 'off'
  | 'not-believed'
  | 'not-reached'
  | 'absent'
  | 'incomplete'
  | 'broken'
  | 'own'
  | 'announces';

export interface AccessVerdict {
  readonly verdict: 'allowed' | 'denied';
  /** `no-list`: nobody is listed, or there is no address to look for. `not-listed`: others are allowed. */
  readonly by: 'allow' | 'deny' | 'no-list' | 'not-listed' | 'not-denied';
  /** The network of that list in which the client is. */
  readonly network: string | null;
}

export interface Wait {
  readonly for: 'proxy-header' | 'handshake' | 'first-bytes';
  readonly upToMs: number;
}

export type RouteExplanation = { readonly to: Destination } & (
  | { readonly verdict: 'matches' | 'not-reached' }
  /** `undecided`: more bytes would not tell, so it may be what the client asks for. */
  | { readonly verdict: 'needs-bytes' | 'undecided'; readonly missing: readonly Condition[] }
  | {
      readonly verdict: 'fails';
      readonly condition: Condition;
      readonly wanted: readonly string[];
      readonly seen: readonly string[];
    }
);

export type Condition = keyof RouteCondition;

export type Destination =
  | { readonly pool: string }
  /** `next` is the pool whose turn it is. */
  | { readonly split: Readonly<Record<string, number>>; readonly next: string };

export interface PoolExplanation extends Usage {
  readonly name: string;
  readonly balance: Balance;
  /** Its clients wait for an operator. */
  readonly held: boolean;
  readonly queue: { readonly waiting: number; readonly size: Limit; readonly timeoutMs: Limit };
  /** In panic: too few backends are up for their health to be believed. */
  readonly ignoresHealth: boolean;
  readonly backends: readonly BackendExplanation[];
}

export interface BackendExplanation extends Usage {
  readonly address: string;
  readonly weight: number;
  /** What counts of its weight while it ramps up after having been down. */
  readonly rampPercent: number;
  readonly backup: boolean;
  readonly health: Health;
  readonly circuit: CircuitState;
  readonly unavailable: Unavailability | null;
  /** Among those that the balancer chooses from: available, and no backup while a primary is. */
  readonly candidate: boolean;
}

export type Outcome =
  | {
      readonly kind: 'dial';
      readonly backend: string;
      /** `next-turn`: the first who comes has it. `one-of-several`: any of `possible` may be chosen. */
      readonly certainty: 'certain' | 'next-turn' | 'one-of-several';
      readonly possible: readonly string[];
    }
  | { readonly kind: 'queue'; readonly ahead: number; readonly timeoutMs: Limit }
  | { readonly kind: 'refuse'; readonly reason: Reason; readonly with: 'reset' | 'close' };

/** How a limit is written: JSON has no Infinity. */
export function limitOf(limit: number): Limit {
  return limit === Number.POSITIVE_INFINITY ? 'unlimited' : limit;
}
