/**
 * A pool that is held lets its clients wait, whatever its backends say, and releases them in the end: at once, or so
 * many a second. Those rules take the place of its queue's for as long.
 */
import type { Ledger } from './ledger/ledger.ts';
import { takeToken } from './limits.ts';
import type { ConnectionRate, PoolPlan, PoolSlot, QueuePolicy } from './plan.ts';

/** The size of the queue of a pool that has none of its own, while it is held. */
const heldSize = 1_000;

/** What holds for the queue of a pool now. */
export function queuePolicyOf({ policy, hold }: Pick<PoolPlan, 'policy' | 'hold'>): QueuePolicy {
  const { queue } = policy.limits;
  if (hold === undefined) return queue;
  return { size: queue.size || heldSize, timeoutMs: hold.timeoutMs, whenNoBackend: 'wait' };
}

/** The pace at which a pool is released: a token bucket over all workers. */
export class ReleasePace {
  readonly #ledger: Ledger;
  readonly #pool: PoolSlot;

  constructor(ledger: Ledger, pool: PoolSlot) {
    this.#ledger = ledger;
    this.#pool = pool;
  }

  tryTake(ratePerSecond: number, nowMs: number): boolean {
    const { lock, releases } = this.#ledger;
    lock.acquire();
    const isTaken = takeToken(releases, this.#pool, bucketOf(ratePerSecond), nowMs);
    lock.release();
    return isTaken;
  }

  /** Nobody went for the last token taken. */
  giveBack(): void {
    const { lock, releases } = this.#ledger;
    lock.acquire();
    releases.tokens[this.#pool] = (releases.tokens[this.#pool] ?? 0) + 1;
    lock.release();
  }

  /** How many may go now. */
  room(ratePerSecond: number, nowMs: number): number {
    return Math.floor(this.#tokens(ratePerSecond, nowMs));
  }

  /** When to look again; what another worker takes meanwhile is not told. */
  nextLookMs(ratePerSecond: number, nowMs: number): number {
    const missing = 1 - this.#tokens(ratePerSecond, nowMs);
    const forOneMs = 1_000 / ratePerSecond;
    return nowMs + Math.max(betweenLooksMs, (missing > 0 ? missing : 1) * forOneMs);
  }

  #tokens(ratePerSecond: number, nowMs: number): number {
    const { tokens, filledMs } = this.#ledger.releases;
    const { burst } = bucketOf(ratePerSecond);
    const sinceMs = filledMs[this.#pool] ?? 0;
    if (sinceMs === 0) return burst;
    const gained = (Math.max(0, nowMs - sinceMs) * ratePerSecond) / 1_000;
    return Math.min(burst, (tokens[this.#pool] ?? 0) + gained);
  }
}

/** Several may go between two looks. */
const betweenLooksMs = 5;

/** Holds what comes in between a few looks, so that none is lost where a worker is late. */
function bucketOf(ratePerSecond: number): ConnectionRate {
  return { connectionsPerSecond: ratePerSecond, burst: Math.max(1, ratePerSecond / 20) };
}
