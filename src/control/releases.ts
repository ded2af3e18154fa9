/**
 * Pools whose hold is over, while those who have waited go: each until nobody waits any more, and no longer than any of
 * them may wait.
 */
import type { PoolHold } from '../core/plan.ts';
import type { Hold, Mark } from './overrides.ts';

export interface Release extends Hold, Pick<Mark, 'by' | 'reason'> {
  readonly ratePerSecond: number;
  /** In milliseconds since 1970. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

export class Releases {
  readonly #byPool = new Map<string, Release>();

  /** Pools that are being released. */
  get pools(): readonly string[] {
    return [...this.#byPool.keys()];
  }

  of(pool: string): Release | undefined {
    return this.#byPool.get(pool);
  }

  begin(pool: string, hold: Hold, { by, reason }: Pick<Mark, 'by' | 'reason'>, pace: Pace): void {
    const { ratePerSecond, nowMs: sinceMs } = pace;
    const untilMs = sinceMs + hold.timeoutMs;
    this.#byPool.set(pool, { ...hold, by, reason, ratePerSecond, sinceMs, untilMs });
  }

  /** The pool is held again, or its release is over. */
  end(pool: string): void {
    this.#byPool.delete(pool);
  }

  /** What the plan says of a pool while it is released. */
  holdOf(pool: string): PoolHold | undefined {
    const release = this.#byPool.get(pool);
    if (release === undefined) return undefined;
    const { timeoutMs, ratePerSecond } = release;
    return { phase: 'releasing', timeoutMs, ratePerSecond };
  }
}

export interface Pace {
  /** Sessions that go in a second; `Infinity`: as many as wait. */
  readonly ratePerSecond: number;
  /** In milliseconds since 1970. */
  readonly nowMs: number;
}
