/**
 * Makes the areas of a ledger, one after the other over its buffer, and keeps what each needs when a slot is given to a
 * new owner, when a worker dies, and when a draft is made. So an area is one line in `areas.ts`.
 */
import { type ClientKeys, ClientTable } from './client-table.ts';
import { Counters } from './counters.ts';
import { Histogram } from './histogram.ts';
import { SpinLock } from './lock.ts';
import { QueueTickets } from './queue-tickets.ts';
import { SharedCounts } from './shared-counts.ts';
import { WakeFds } from './wake-fds.ts';

export interface LedgerCapacity {
  readonly workers: number;
  readonly listeners: number;
  readonly pools: number;
  readonly backends: number;
  /** Routes that spread sessions over pools. */
  readonly splits: number;
  /** Clients with a limit of their own that can be told apart at once. */
  readonly clients: number;
}

/** What an area has slots for. */
export type Owner = 'workers' | 'listeners' | 'pools' | 'backends' | 'splits' | 'clients';

interface Area<A> {
  readonly owner: Owner;
  readonly area: A;
  /** Makes a slot that nobody holds ready for its next owner. */
  readonly clear?: ((slot: number) => void) | undefined;
  readonly releaseAllOf?: (worker: number) => void;
  /** Copies another of the same size. Absent for mere counters, which a draft does without. */
  readonly copyFrom?: (other: A) => void;
}

export class AreaMaker {
  byteLength = 0;
  readonly #capacity: LedgerCapacity;
  readonly #buffer: ArrayBuffer | SharedArrayBuffer | undefined;
  readonly #own: number;
  /** `any`: each is asked only about another of its own kind, as two ledgers make theirs in one order. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly #areas: Area<any>[] = [];

  /**
   * Without a buffer it only measures. The main thread has a stripe too, the last, so that whoever counts may: `own`
   * is a worker's number, or that of workers.
   */
  constructor(capacity: LedgerCapacity, buffer?: ArrayBuffer | SharedArrayBuffer, own = 0) {
    this.#capacity = capacity;
    this.#buffer = buffer;
    this.#own = own;
  }

  /** Exact counts of what is taken now. */
  counts(owner: Owner): SharedCounts {
    const slots = this.#capacity[owner];
    const shares = this.#stripes(() => this.#int32(slots));
    const area = new SharedCounts({ totals: this.#int32(slots), shares }, this.#ownOf(shares));
    return this.#add({
      owner,
      area,
      clear: (slot) => area.clear(slot),
      releaseAllOf: (worker) => area.releaseAllOf(worker),
      copyFrom: (other) => area.copyFrom(other),
    });
  }

  /** Integers that all threads change, `width` of them for each slot. */
  words(owner: Owner, width = 1): Int32Array {
    const area = this.#int32(this.#capacity[owner] * width);
    return this.#add({
      owner,
      area,
      clear: (slot) => {
        for (let at = slot * width; at < (slot + 1) * width; at++) Atomics.store(area, at, 0);
      },
      copyFrom: (other) => area.set(other),
    });
  }

  /** A word that outlives the owner of a slot. */
  lastingWords(owner: Owner): Int32Array {
    const area = this.#int32(this.#capacity[owner]);
    return this.#add({ owner, area, copyFrom: (other) => area.set(other) });
  }

  /** Numbers that are read and written under the lock, or by one thread. */
  floats(owner: Owner): Float64Array {
    const area = this.#float64(this.#capacity[owner]);
    return this.#add({
      owner,
      area,
      clear: (slot) => area.fill(0, slot, slot + 1),
      copyFrom: (other) => area.set(other),
    });
  }

  /** Numbers that only grow, `width` for each slot; a dead worker's stay. */
  counters(owner: Owner, width: number): Counters {
    const stripes = this.#stripes(() => this.#float64(this.#capacity[owner] * width));
    const area = new Counters(stripes, this.#ownOf(stripes), width);
    return this.#add({ owner, area, clear: (slot) => area.clear(slot) });
  }

  /** For durations; the edges of its buckets are milliseconds. */
  histogram(owner: Owner, edgesMs: readonly number[]): Histogram {
    return new Histogram(this.counters(owner, Histogram.width(edgesMs)), 0, edgesMs);
  }

  tickets(owner: Owner): QueueTickets {
    const slots = this.#capacity[owner];
    const area = new QueueTickets(
      {
        drawn: this.#int32(slots),
        shown: this.#stripes(() => this.#int32(slots)),
        sinceMs: this.#stripes(() => this.#float64(slots)),
      },
      this.#own,
    );
    return this.#add({
      owner,
      area,
      clear: (slot) => area.clear(slot),
      releaseAllOf: (worker) => area.releaseAllOf(worker),
    });
  }

  clients(): ClientTable {
    const { clients } = this.#capacity;
    const keys: ClientKeys = {
      keys: this.#int32(clients * ClientTable.keyWords),
      heads: this.#int32(clients),
      next: this.#int32(clients),
      state: this.#int32(ClientTable.stateWords),
    };
    const area = new ClientTable(keys, {
      active: this.counts('clients'),
      tokens: this.floats('clients'),
      filledMs: this.floats('clients'),
    });
    return this.#add({ owner: 'clients', area, copyFrom: (other) => area.copyFrom(other) });
  }

  /** A thread that died holds it no longer. */
  lock(): SpinLock {
    const area = new SpinLock(this.#int32(1), this.#own + 1);
    return this.#add({ owner: 'workers', area, releaseAllOf: (worker) => area.breakFor(worker + 1) });
  }

  /** A word of each worker, 0 once it is dead. */
  wordOfEach(): Int32Array {
    const area = this.#int32(this.#capacity.workers);
    return this.#add({ owner: 'workers', area, releaseAllOf: (worker) => area.fill(0, worker, worker + 1) });
  }

  /** The same of a number. */
  floatOfEach(): Float64Array {
    const area = this.#float64(this.#capacity.workers);
    return this.#add({ owner: 'workers', area, releaseAllOf: (worker) => area.fill(0, worker, worker + 1) });
  }

  wakeFds(): WakeFds {
    return new WakeFds(this.lock(), this.#int32(this.#capacity.workers));
  }

  clear(owner: Owner, slot: number): void {
    for (const area of this.#areas) if (area.owner === owner) area.clear?.(slot);
  }

  /** Gives back what a dead worker held, in the order of the table. */
  releaseAllOf(worker: number): void {
    for (const area of this.#areas) area.releaseAllOf?.(worker);
  }

  copyFrom(other: AreaMaker): void {
    for (const [index, area] of this.#areas.entries()) area.copyFrom?.(other.#areas[index]?.area);
  }

  #add<A>(area: Area<A>): A {
    this.#areas.push(area);
    return area.area;
  }

  #stripes<T>(make: () => T): readonly T[] {
    return Array.from({ length: this.#capacity.workers + 1 }, make);
  }

  #ownOf<T>(stripes: readonly T[]): T {
    const own = stripes[this.#own];
    if (own === undefined) throw new RangeError(`The ledger has no stripe ${this.#own}`);
    return own;
  }

  #int32(length: number): Int32Array {
    const offset = this.#advance(length * 4);
    return this.#buffer === undefined ? new Int32Array(0) : new Int32Array(this.#buffer, offset, length);
  }

  #float64(length: number): Float64Array {
    const offset = this.#advance(length * 8);
    return this.#buffer === undefined ? new Float64Array(0) : new Float64Array(this.#buffer, offset, length);
  }

  /** Each area starts on a cache line of its own, so that threads don't slow each other down at the seams. */
  #advance(bytes: number): number {
    const offset = this.byteLength;
    this.byteLength += Math.ceil(bytes / 64) * 64;
    return offset;
  }
}
