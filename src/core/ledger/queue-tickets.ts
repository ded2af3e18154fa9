/**
 * The order of the sessions that wait for a pool, over all workers. One that begins to wait draws a number, and each
 * worker shows the number of its first, so that all see what stands before them. Numbers go round after 2³² draws. It
 * also shows since when that one waits.
 */
export class QueueTickets {
  /** By pool: the number that was drawn last. */
  readonly #drawn: Int32Array;
  /** By worker, then by pool: its first number, or `noTicket`. */
  readonly #shown: readonly Int32Array[];
  /** By worker, then by pool: since when its first waits, where it has one. */
  readonly #sinceMs: readonly Float64Array[];
  readonly #own: number;

  /** `own` is the stripe of this thread. */
  constructor({ drawn, shown, sinceMs }: TicketArea, own: number) {
    this.#drawn = drawn;
    this.#shown = shown;
    this.#sinceMs = sinceMs;
    this.#own = own;
  }

  /** `isFirst`: no other session of this worker waits for the pool. */
  draw(pool: number, isFirst: boolean, nowMs: number): Ticket {
    // Published before it is drawn, at the least that it can become, so that a worker which draws later sees it.
    if (isFirst) this.show(pool, { number: following(Atomics.load(this.#drawn, pool)), sinceMs: nowMs });
    let number = noTicket;
    while (number === noTicket) number = (Atomics.add(this.#drawn, pool, 1) + 1) | 0;
    const ticket = { number, sinceMs: nowMs };
    if (isFirst) this.show(pool, ticket);
    return ticket;
  }

  /** The number of this worker's first session now; without one, none of its sessions waits any more. */
  show(pool: number, ticket: Ticket | undefined): void {
    const sinceMs = this.#sinceMs[this.#own];
    const shown = this.#shown[this.#own];
    if (sinceMs === undefined || shown === undefined) return;
    if (ticket !== undefined) sinceMs[pool] = ticket.sinceMs;
    Atomics.store(shown, pool, ticket?.number ?? noTicket);
  }

  /** Since when the session waits that has waited longest of all workers'; undefined where none waits. */
  waitingSinceMs(pool: number): number | undefined {
    let earliestMs: number | undefined;
    for (const [worker, shown] of this.#shown.entries()) {
      if (Atomics.load(shown, pool) === noTicket) continue;
      const sinceMs = this.#sinceMs[worker]?.[pool] ?? 0;
      if (earliestMs === undefined || sinceMs < earliestMs) earliestMs = sinceMs;
    }
    return earliestMs;
  }

  /** How many at most stand before this number on other workers; that is 0 where it comes next. */
  before(pool: number, ticket: number): number {
    let most = 0;
    for (const shown of this.#shown) {
      const first = Atomics.load(shown, pool);
      if (first !== noTicket) most = Math.max(most, (ticket - first) | 0);
    }
    return most;
  }

  /** Workers that show a number, the earliest first. */
  workers(pool: number): readonly number[] {
    const drawn = Atomics.load(this.#drawn, pool);
    const waiting: { readonly worker: number; readonly age: number }[] = [];
    for (const [worker, shown] of this.#shown.entries()) {
      const first = Atomics.load(shown, pool);
      if (first !== noTicket) waiting.push({ worker, age: (drawn - first) | 0 });
    }
    return waiting.sort((one, other) => other.age - one.age).map(({ worker }) => worker);
  }

  /** A dead worker has no session that waits. */
  releaseAllOf(worker: number): void {
    this.#shown[worker]?.fill(noTicket);
  }

  clear(pool: number): void {
    Atomics.store(this.#drawn, pool, 0);
    for (const shown of this.#shown) Atomics.store(shown, pool, noTicket);
  }
}

export interface Ticket {
  readonly number: number;
  /** When it was drawn. */
  readonly sinceMs: number;
}

export interface TicketArea {
  readonly drawn: Int32Array;
  readonly shown: readonly Int32Array[];
  readonly sinceMs: readonly Float64Array[];
}

/** What a fresh slot holds, and no number that is drawn. */
const noTicket = 0;

function following(ticket: number): number {
  const next = (ticket + 1) | 0;
  return next === noTicket ? 1 : next;
}
