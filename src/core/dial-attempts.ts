/** A session's dials: which backends it has tried in vain, and what follows where there is none to dial. */
import { backoffMs } from './backoff.ts';
import type { BackendSlot, ConnectFailure } from './contract.ts';
import type { Lease } from './lease.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Endpoint } from './net/endpoint.ts';
import type { PoolPolicy } from './plan.ts';
import type { NoLease, Pool } from './pool.ts';
import type { DialFailure, Reason } from './reasons.ts';

export type DialFault = ConnectFailure | 'connect-timeout';

/** Where there is no lease: to wait in the pool's queue, to try again after so many milliseconds, or to give up. */
export type Fallback = 'queue' | number | Reason;

export class DialAttempts {
  /** Dials so far. */
  count = 0;
  /** The backend that was dialed last. */
  backendName: string | undefined;
  /** Of the last failure, for people. */
  detail: string | undefined;
  #tried: readonly BackendSlot[] = none;
  #backoffRounds = 0;
  #lastFailure: DialFailure | 'overloaded' | undefined;

  /** No backend is dialed twice before all that are willing have been. */
  place(pool: Pool, client: Endpoint, nowMs: number): Lease | NoLease {
    return pool.place(client, this.#tried, nowMs);
  }

  begin(lease: Lease): void {
    this.count++;
    this.backendName = lease.backend.name;
  }

  /**
   * The dial has failed; what is our own fault is not held against the backend. Returns whether the backend's breaker
   * has changed its state.
   */
  fail(lease: Lease, why: DialFault, detail: string | undefined, ledger: Ledger, nowMs: number): boolean {
    this.detail = detail;
    if (why === 'exhausted') {
      this.#lastFailure = 'overloaded';
      return false;
    }
    const hasChanged = lease.settle('failed', nowMs);
    ledger.countDialFailure(lease.backend.slot, why);
    this.#lastFailure = why;
    this.#tried = [...this.#tried, lease.backend.slot];
    return hasChanged;
  }

  /** Why no further dial may follow; undefined where one may. */
  spent({ connect }: PoolPolicy): Reason | undefined {
    return this.count > connect.retries ? this.#lastFailure : undefined;
  }

  without(why: NoLease, policy: PoolPolicy, random: () => number): Fallback {
    if (why === 'no-backend') return this.giveUp('no-backend');
    if (why === 'all-tried') return this.backOff(policy, random);
    return policy.limits.queue.size > 0 ? 'queue' : this.giveUp('pool-full');
  }

  /** How long to wait, after which every backend may be dialed again. */
  backOff({ connect }: PoolPolicy, random: () => number): number {
    this.#tried = none;
    return backoffMs(connect.backoff, this.#backoffRounds++, random);
  }

  /** Of a session that has dialed, the last dial tells more than what came after it. */
  giveUp(reason: Reason): Reason {
    return this.#lastFailure ?? reason;
  }
}

/** One for all: few sessions have a dial that fails. */
const none: readonly BackendSlot[] = [];
