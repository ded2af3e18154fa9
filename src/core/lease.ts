/**
 * A session's claim on a backend: taken in the step that picks it and before dialing, released exactly once.
 * So limits are exact while dials are under way, and a half-open breaker's trial can't leak.
 */
import { assert } from './assert.ts';
import type { Backend } from './backend.ts';
import type { BreakerPermit, DialOutcome } from './circuit-breaker.ts';
import type { LinkId, PoolSlot } from './contract.ts';

export class Lease {
  /** Takes a place in the pool, one at the backend and the breaker's leave, or nothing at all. */
  static acquire(
    pool: { readonly slot: PoolSlot; readonly maxConnections: number },
    backend: Backend,
    nowMs: number,
  ): Lease | 'pool-full' | 'backend-gone' {
    const { ledger } = backend;
    if (!ledger.poolActive.tryTake(pool.slot, pool.maxConnections)) return 'pool-full';
    if (ledger.backendActive.tryTake(backend.slot, backend.plan.maxConnections)) {
      const admission = backend.breaker?.admit(nowMs);
      if (admission !== undefined || backend.breaker === undefined) {
        return new Lease(pool.slot, backend, admission);
      }
      ledger.backendActive.release(backend.slot);
    }
    ledger.poolActive.release(pool.slot);
    return 'backend-gone';
  }

  readonly backend: Backend;
  readonly pool: PoolSlot;
  /** The link that was dialed with it: the lease lives as long. */
  link: LinkId = -1;
  #admission: BreakerPermit | undefined;
  #held = true;

  private constructor(pool: PoolSlot, backend: Backend, admission: BreakerPermit | undefined) {
    this.pool = pool;
    this.backend = backend;
    this.#admission = admission;
  }

  /** Tells the breaker how the dial went, and returns whether that has changed its state. The lease stays held. */
  settle(outcome: DialOutcome, nowMs: number, error?: string): boolean {
    if (this.#admission === undefined) return false;
    const { slot, breaker, ledger } = this.backend;
    const { epoch } = ledger.circuit;
    const before = Atomics.load(epoch, slot);
    breaker?.settle(this.#admission, outcome, nowMs, error);
    this.#admission = undefined;
    return Atomics.load(epoch, slot) !== before;
  }

  /** Gives the places back. A dial that was never settled counts as abandoned. */
  release(nowMs: number): void {
    assert(this.#held, 'a lease is released once');
    this.#held = false;
    this.settle('abandoned', nowMs);
    const { slot, ledger } = this.backend;
    ledger.backendActive.release(slot);
    ledger.poolActive.release(this.pool);
  }
}
