/**
 * A value that expires: looked up, kept for as long as it said, looked up again. A lookup that fails leaves the
 * last value in place and is repeated after a back-off; one lookup is under way at a time.
 */
import { isDeepStrictEqual } from 'node:util';

/** What a lookup found. A problem does not stop the value from being used, but people should be told. */
export interface Answer<T> {
  readonly value: T;
  /** For how long it holds: `Infinity` is for ever. */
  readonly ttlMs: number;
  readonly problem?: string | undefined;
}

export interface WatchHost<T> {
  /** Finds the value; `previous` is the last one found. */
  lookup(previous: T | undefined): Promise<Answer<T>>;
  /** A lookup has ended; `problem` is what was wrong, undefined where all was well. */
  onLookup?(problem: string | undefined): void;
  /** The value is another than `previous`. Not called for the first lookup, whose end is `first`. */
  onChange(previous: T | undefined): void;
  /**
   * Something went wrong after all had been well, or (undefined) is well again. `isPartial`: there was an answer
   * nevertheless.
   */
  onProblem(problem: string | undefined, isPartial: boolean): void;
}

export interface Timing {
  /** Bounds of an answer's time to live, whatever it says itself; what holds for ever is not asked for again. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** The wait after a failure: doubles from the one to the other. */
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
}

export class Watch<T> {
  /** Fulfilled when the first lookup is over, whether it found something or not. */
  readonly first: Promise<void>;
  readonly #host: WatchHost<T>;
  readonly #timing: Timing;
  #value: T | undefined;
  #failuresInARow = 0;
  #troubled = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(host: WatchHost<T>, timing: Timing) {
    this.#host = host;
    this.#timing = timing;
    this.first = this.#refresh('first');
  }

  get value(): T | undefined {
    return this.#value;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #refresh(round: 'first' | 'later'): Promise<void> {
    const outcome = await this.#lookup();
    if (this.#closed) return;
    const waitMs = outcome instanceof Error ? this.#retryMs() : this.#ttlMs(outcome);
    if (waitMs < Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(() => void this.#refresh('later'), waitMs);
    if (outcome instanceof Error) return this.#tell(outcome.message, false);
    const previous = this.#value;
    const isOther = !isDeepStrictEqual(outcome.value, previous);
    if (isOther) this.#value = outcome.value;
    this.#tell(outcome.problem, true);
    if (isOther && round === 'later') this.#host.onChange(previous);
  }

  async #lookup(): Promise<Answer<T> | Error> {
    try {
      return await this.#host.lookup(this.#value);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #tell(problem: string | undefined, isPartial: boolean): void {
    this.#host.onLookup?.(problem);
    const troubled = problem !== undefined;
    if (troubled !== this.#troubled) this.#host.onProblem(problem, isPartial);
    this.#troubled = troubled;
  }

  #ttlMs({ ttlMs }: Answer<T>): number {
    this.#failuresInARow = 0;
    if (ttlMs === Number.POSITIVE_INFINITY) return ttlMs;
    return Math.min(Math.max(ttlMs, this.#timing.minTtlMs), this.#timing.maxTtlMs);
  }

  #retryMs(): number {
    const { minRetryMs, maxRetryMs } = this.#timing;
    return Math.min(maxRetryMs, minRetryMs * 2 ** this.#failuresInARow++);
  }
}
