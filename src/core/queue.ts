/**
 * Sessions that wait for a backend of a pool: first in, first out. Each worker keeps the order of its own; how many
 * wait, and who is before whom, is in the ledger, so that the bound and the order hold over all workers.
 */
import type { PoolSlot } from './contract.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Ticket } from './ledger/queue-tickets.ts';

/** A session that waits in the queue of a pool. */
export interface QueuedSession {
  /** The first in line looks for a backend; returns whether it has left the queue. */
  tryLeaveQueue(nowMs: number): boolean;
  /** Its pool is held: from when it began to wait, it waits as long as the hold says. */
  waitAsHeld(): void;
  /** It is refused, as if its time were over. */
  giveUpWaiting(nowMs: number): void;
  /** Its pool is gone: it goes to the one that its listener has now, without having waited in vain. */
  reroute(nowMs: number): void;
}

export class SessionQueue<Waiting> {
  readonly #ledger: Ledger;
  readonly #pool: PoolSlot;
  /** Those of this worker, in order. */
  readonly #tickets = new Map<Waiting, Ticket>();

  constructor(ledger: Ledger, pool: PoolSlot) {
    this.#ledger = ledger;
    this.#pool = pool;
  }

  /** Whether no session of this worker waits. */
  get isEmpty(): boolean {
    return this.#tickets.size === 0;
  }

  /** Whether a session of any worker waits. */
  get isWaitedIn(): boolean {
    return this.#ledger.poolQueued.total(this.#pool) > 0;
  }

  get first(): Waiting | undefined {
    return this.#tickets.keys().next().value;
  }

  /** How many of other workers may stand before the first of this one: never less than do. */
  get beforeFirst(): number {
    const ticket = this.#tickets.values().next().value;
    if (ticket === undefined) return 0;
    const before = this.#ledger.queueTickets.before(this.#pool, ticket.number);
    if (before === 0) return 0;
    // Numbers of those who have gone lie between; but no more than wait can stand before anyone.
    return Math.min(before, this.#ledger.poolQueued.total(this.#pool) - this.#tickets.size);
  }

  /** Workers of which a session waits, that with the first in line before the others. */
  get workers(): readonly number[] {
    return this.#ledger.queueTickets.workers(this.#pool);
  }

  /** All of this worker that wait, in order. */
  members(): readonly Waiting[] {
    return [...this.#tickets.keys()];
  }

  /** Appends it, unless `size` wait already; returns whether it did. */
  join(session: Waiting, size: number, nowMs: number): boolean {
    if (!this.#ledger.poolQueued.tryTake(this.#pool, size)) return false;
    this.#tickets.set(session, this.#ledger.queueTickets.draw(this.#pool, this.isEmpty, nowMs));
    return true;
  }

  /** Returns whether it has waited. */
  leave(session: Waiting): boolean {
    if (!this.#tickets.delete(session)) return false;
    this.#ledger.poolQueued.release(this.#pool);
    this.#ledger.queueTickets.show(this.#pool, this.#tickets.values().next().value);
    return true;
  }
}
