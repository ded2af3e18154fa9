/**
 * How many clients the process still has descriptors for. A client takes one, and one more for the dial that follows:
 * where accepting took them all, no dial would find one, and nobody were served. The limit (RLIMIT_NOFILE) is the
 * process's, and so is what this counts: all workers, probes, files and the admin API together.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isExhaustion } from './dial-failure.ts';
import { errorCode } from './shared.ts';

export class DescriptorBudget {
  /** Of each worker, for how many of its clients a dial is to come. Each writes its own and reads all. */
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

  /** Of this worker: accepted clients less dialed backends. */
  set owed(dials: number) {
    this.#owed[this.#worker] = Math.max(0, dials);
  }

  /**
   * Whether there are descriptors for one more client. To be asked at each accept: while there are plenty it counts once
   * in a thousand times, and again after a while, for the limit may have been lowered.
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

  /** So many more clients may be accepted; a few microseconds to count. Any number where the system doesn't tell. */
  get clients(): number {
    const limit = this.#limit();
    // Not even one is left to read the limit with.
    if (limit === undefined) return 0;
    if (limit === Number.POSITIVE_INFINITY) return limit;
    let owed = 0;
    for (const dials of this.#owed) owed += dials;
    return Math.floor((limit - openDescriptors() - reserve - owed) / 2);
  }

  #limit(): number | undefined {
    const nowMs = performance.now();
    if (nowMs - this.#limitReadMs < limitIsGoodMs) return this.#lastLimit;
    const limit = readLimit();
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

function openDescriptors(): number {
  // Since Linux 6.2 the size of the directory is their number; before it is 0.
  const { size } = statSync('/proc/self/fd');
  if (size > 0) return size;
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    // There is none left to read the directory with.
    return Number.POSITIVE_INFINITY;
  }
}

/** The soft limit, which may be changed from outside: unlimited where the system doesn't tell, undefined without a descriptor. */
function readLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch (error) {
    return isExhaustion(errorCode(error)) ? undefined : Number.POSITIVE_INFINITY;
  }
}

/** To read it takes 80 µs. */
const limitIsGoodMs = 100;
