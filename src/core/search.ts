/** A session's search for a backend: whom it has dialed in vain, and what it does where there is nobody to dial. */
import { backoffMs } from './backoff.ts';
import type { BackendSlot, CoreEvent } from './contract.ts';
import type { Lease } from './lease.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { PoolPolicy } from './plan.ts';
import type { NoLease, Pool } from './pool.ts';
import type { DialFailure, Reason } from './reasons.ts';

export type DialFault = Extract<CoreEvent, { readonly kind: 'dial-failed' }>['why'] | 'connect-timeout';

/** Where there is no lease: to stand in the pool's queue, to try again after so many milliseconds, or to give up. */
export type Fallback = 'queue' | number | Reason;

export class Search {
  /** Dials so far. */
  attempts = 0;
  /** Who was dialed last. */
  backendName: string | undefined;
  #tried: readonly BackendSlot[] = none;
  #backoffRounds = 0;
  #lastFailure: DialFailure | 'overloaded' | undefined;

  /** Nobody is asked twice before all that are willing have been. */
  place(pool: Pool, clientAddress: string, nowMs: number): Lease | NoLease {
    return pool.place(clientAddress, this.#tried, nowMs);
  }

  begin(lease: Lease): void {
    this.attempts++;
    this.backendName = lease.backend.name;
  }

  /** The dial has failed; what is our own fault is not held against the backend. */
  fail(lease: Lease, why: DialFault, ledger: Ledger, nowMs: number): void {
    if (why === 'exhausted') {
      this.#lastFailure = 'overloaded';
      return;
    }
    lease.settle('failed', nowMs);
    ledger.countDialFailure(lease.backend.slot, why);
    this.#lastFailure = why;
    this.#tried = [...this.#tried, lease.backend.slot];
  }

  /** Why no further dial may follow; undefined where one may. */
  spent({ connect }: PoolPolicy): Reason | undefined {
    return this.attempts > connect.retries ? this.#lastFailure : undefined;
  }

  without(why: NoLease, policy: PoolPolicy | undefined, random: () => number): Fallback {
    if (policy === undefined || why === 'no-backend') return this.giveUp('no-backend');
    if (why === 'all-tried') return this.backOff(policy, random);
    return policy.limits.queue.size > 0 ? 'queue' : this.giveUp('pool-full');
  }

  /** How long to wait, after which everybody may be asked again. */
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
