/**
 * When sessions that wait in the queues of pools move on: where an event may have made room, the first in line go
 * once it is dealt with, and workers whose sessions stand before ours are woken.
 */
import type { Command, PoolSlot } from './contract.ts';
import type { Pool } from './pool.ts';
import type { Pools } from './pools.ts';

export interface QueuesDeps {
  /** The worker's number, by which others wake it. */
  readonly worker: number;
  readonly pools: Pools;
  command(command: Command): void;
}

export class Queues {
  readonly #deps: QueuesDeps;
  /** Those that may move on once the event is dealt with. */
  readonly #freed = new Set<Pool>();
  /** Those of which a breaker has changed its state meanwhile. */
  readonly #circuitChanged = new Set<Pool>();
  /** Those in which a session of this worker waits. */
  readonly #waitedFor = new Set<Pool>();
  /** There is one less of these, and so maybe nothing to look for by time. */
  #isTimerStale = false;

  constructor(deps: QueuesDeps) {
    this.#deps = deps;
  }

  get mayMove(): boolean {
    return this.#freed.size > 0 || this.#isTimerStale;
  }

  /** This one may move on, whatever has happened to it. */
  changed(pool: Pool): void {
    this.#freed.add(pool);
  }

  /** A session has joined it. */
  joined(pool: Pool): void {
    this.#waitedFor.add(pool);
    this.#freed.add(pool);
  }

  /** A session has left it. */
  left(pool: Pool): void {
    if (pool.queue.isEmpty && this.#waitedFor.delete(pool)) this.#isTimerStale = true;
  }

  /** A place may be free in the pool of this slot: it may have come back since its lease was taken. */
  freed(slot: PoolSlot): void {
    const pool = this.#deps.pools.find(slot);
    if (pool?.queue.isWaitedIn) this.#freed.add(pool);
  }

  circuitChanged(slot: PoolSlot): void {
    const pool = this.#deps.pools.find(slot);
    if (!pool?.queue.isWaitedIn) return;
    this.#freed.add(pool);
    this.#circuitChanged.add(pool);
  }

  /** All in which a session of this worker waits. */
  wake(): void {
    for (const pool of this.#waitedFor) this.#freed.add(pool);
  }

  /** Those that wait go, in order, until one finds no room or stands behind one of another worker. */
  serve(nowMs: number): void {
    const woken = new Set<number>();
    for (const pool of this.#freed) {
      for (let first = pool.queue.first; first !== undefined; first = pool.queue.first) {
        if (!pool.admitsFirst(nowMs) || !first.tryLeaveQueue(nowMs)) break;
      }
      if (pool.queue.isWaitedIn) this.#wakeNext(pool, woken, nowMs);
    }
    this.#freed.clear();
    this.#circuitChanged.clear();
    this.#isTimerStale = false;
  }

  /** When a breaker's time is over or a release goes on; all else that makes room is an event of some worker. */
  nextLookMs(nowMs: number): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const pool of this.#waitedFor) soonestMs = Math.min(soonestMs, pool.nextLookMs(nowMs));
    return soonestMs;
  }

  /**
   * A place that is left is for the worker whose session is first in line. All workers are told where no backend is
   * willing, as nothing is left to wait for, and where a breaker has changed its state, as each has a timer for that.
   */
  #wakeNext(pool: Pool, woken: Set<number>, nowMs: number): void {
    const room = pool.room(nowMs);
    const concernsAll = room === Number.POSITIVE_INFINITY || this.#circuitChanged.has(pool);
    if (room <= 0 && !concernsAll) return;
    const { workers } = pool.queue;
    for (const worker of concernsAll ? workers : workers.slice(0, 1)) {
      if (worker === this.#deps.worker || woken.has(worker)) continue;
      woken.add(worker);
      this.#deps.command({ kind: 'wake', worker });
    }
  }
}
