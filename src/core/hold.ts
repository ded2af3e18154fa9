/**
 * A pool that is held lets its clients wait, whatever its backends say, and releases them in the end: at once, or so
 * many a second. Those rules take the place of its queue's for as long.
 */
import type { Ledger } from './ledger/ledger.ts';
import { takeToken } from './limits.ts';
import type { ConnectionRate, PoolHold, PoolPlan, PoolSlot, QueuePolicy } from './plan.ts';

/** The size of the queue of a pool that has none of its own, while it is held. */
const heldSize = 1_000;

/** What holds for the queue of a pool now. */
export function queuePolicyOf({ policy, hold }: Pick<PoolPlan, 'policy' | 'hold'>): QueuePolicy {
  const { queue } = policy.limits;
  if (hold === undefined) return queue;
  return { size: queue.size || heldSize, timeoutMs: hold.timeoutMs, whenNoBackend: 'wait' };
}

/** Whether a pool's clients may go to its backends, and at which pace: a token bucket over all workers. */
export class HoldPace {
  readonly #ledger: Ledger;
  readonly #pool: PoolSlot;
  #isHeld = false;
  /** Sessions a second that go after a hold; undefined where nothing slows them. */
  #ratePerSecond: number | undefined;

  constructor(ledger: Ledger, pool: PoolSlot) {
    this.#ledger = ledger;
    this.#pool = pool;
  }

  follow({ phase, ratePerSecond = Number.POSITIVE_INFINITY }: Partial<PoolHold> = {}): void {
    this.#isHeld = phase === 'held';
    const isSlow = phase === 'releasing' && ratePerSecond !== Number.POSITIVE_INFINITY;
    this.#ratePerSecond = isSlow ? ratePerSecond : undefined;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Lets one session go now, if it may. */
  tryPass(nowMs: number): boolean {
    if (this.#isHeld) return false;
    if (this.#ratePerSecond === undefined) return true;
    const { lock, releases } = this.#ledger;
    lock.acquire();
    const isTaken = takeToken(releases, this.#pool, bucketOf(this.#ratePerSecond), nowMs);
    lock.release();
    return isTaken;
  }

  /** The one that was let go has found no backend. */
  giveBack(): void {
    if (this.#ratePerSecond === undefined) return;
    const { lock, releases } = this.#ledger;
    lock.acquire();
    releases.tokens[this.#pool] = (releases.tokens[this.#pool] ?? 0) + 1;
    lock.release();
  }

  /** How many may go now. */
  room(nowMs: number): number {
    if (this.#isHeld) return 0;
    const rate = this.#ratePerSecond;
    return rate === undefined ? Number.POSITIVE_INFINITY : Math.floor(this.#tokens(rate, nowMs));
  }

  /**
   * When to look again, as what another worker takes meanwhile is not told; Infinity where time alone lets nobody go.
   */
  nextLookMs(nowMs: number): number {
    const rate = this.#ratePerSecond;
    if (rate === undefined) return Number.POSITIVE_INFINITY;
    const missing = 1 - this.#tokens(rate, nowMs);
    const forOneMs = 1_000 / rate;
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
