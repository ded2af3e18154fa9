/**
 * How many clients the process still has descriptors for. A client takes one, and one more for the dial that follows:
 * where accepting took them all, no dial would find one, and nobody were served. The limit (RLIMIT_NOFILE) is the
 * process's, and so is what this counts: all workers, probes, files and the admin API together.
 */
import { performance } from 'node:perf_hooks';
import { descriptorLimit, openDescriptors } from './descriptors.ts';

export class DescriptorBudget {
  /** For how many of its clients a dial is to come, by worker. Each writes its own and reads all. */
  readonly #owed: Int32Array;
  readonly #worker: number;
  #acceptsUntilCount = 0;
  #countIsGoodUntilMs = 0;
  #lastLimit = Number.POSITIVE_INFINITY;
  #limitReadMs = Number.NEGATIVE_INFINITY;

  constructor(owed: Int32Array, worker: number) {
    this.#owed = owed;
    this.#worker = worker;
  }

  /** How many this worker owes: accepted clients less dialed backends. */
  set owed(dials: number) {
    this.#owed[this.#worker] = Math.max(0, dials);
  }

  /**
   * Whether there are descriptors for one more client. To be asked at each accept: while there are plenty it counts
   * once in a thousand times, and again after a while, for the limit may have been lowered.
   */
  get mayAccept(): boolean {
    const nowMs = performance.now();
    if (this.#acceptsUntilCount > 0 && nowMs < this.#countIsGoodUntilMs) {
      this.#acceptsUntilCount--;
      return true;
    }
    const { clients } = this;
    if (clients >= plenty) {
      this.#acceptsUntilCount = acceptsBetweenCounts;
      this.#countIsGoodUntilMs = nowMs + limitIsGoodMs;
    }
    return clients >= 1;
  }

  /** The next look counts again: the system has said that there are none. */
  areGone(): void {
    this.#acceptsUntilCount = 0;
    this.#limitReadMs = Number.NEGATIVE_INFINITY;
  }

  /** How many more clients may be accepted; a few microseconds to count. `Infinity` where the system doesn't tell. */
  get clients(): number {
    return Math.floor((this.#notOwed - reserve) / 2);
  }

  /** Whether a client that was accepted already may keep its descriptor while it waits for that of a dial. */
  get mayKeepWaiting(): boolean {
    return this.#notOwed >= reserve / 2;
  }

  /** Neither open nor owed. */
  get #notOwed(): number {
    const limit = this.#limit();
    // Not even one is left to read the limit with.
    if (limit === undefined) return 0;
    if (limit === Number.POSITIVE_INFINITY) return limit;
    let owed = 0;
    for (const dials of this.#owed) owed += dials;
    return limit - openDescriptors() - owed;
  }

  #limit(): number | undefined {
    const nowMs = performance.now();
    if (nowMs - this.#limitReadMs < limitIsGoodMs) return this.#lastLimit;
    const limit = descriptorLimit();
    if (limit === undefined) return undefined;
    this.#limitReadMs = nowMs;
    this.#lastLimit = limit;
    return limit;
  }
}

/** For the admin API, probes, name resolution, files; and for clients that several workers accept at the same time. */
const reserve = 16;
const acceptsBetweenCounts = 1_024;
/** For five workers, each of which may accept so many before it counts again. */
const plenty = 5 * acceptsBetweenCounts;

const limitIsGoodMs = 100;
