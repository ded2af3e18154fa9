/**
 * Sessions that wait for a backend of a pool: first in, first out. The length is counted in the ledger, so
 * that the bound holds over all workers; each worker keeps the order of its own.
 */
import type { PoolSlot } from './contract.ts';
import type { Ledger } from './ledger/ledger.ts';

export class SessionQueue<Waiting> {
  readonly #ledger: Ledger;
  readonly #pool: PoolSlot;
  readonly #waiting = new Set<Waiting>();

  constructor(ledger: Ledger, pool: PoolSlot) {
    this.#ledger = ledger;
    this.#pool = pool;
  }

  /** Whether someone of this worker waits. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  get first(): Waiting | undefined {
    return this.#waiting.values().next().value;
  }

  /** Everyone who waits, in order. */
  members(): readonly Waiting[] {
    return [...this.#waiting];
  }

  /** Stands at the end, unless `size` wait already; says whether it does. */
  join(session: Waiting, size: number): boolean {
    if (!this.#ledger.poolQueued.tryTake(this.#pool, size)) return false;
    this.#waiting.add(session);
    return true;
  }

  leave(session: Waiting): void {
    if (this.#waiting.delete(session)) this.#ledger.poolQueued.release(this.#pool);
  }
}
