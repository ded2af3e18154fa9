/**
 * Tells when a pool has no backend left that takes sessions, and when it has one again. A breaker that is open or
 * half-open counts as one that refuses: what a trial shows is not known yet. Backends that are full do not.
 */
import type { Logger } from 'pino';
import { healthWords, type Ledger } from '../core/ledger/ledger.ts';
import type { BackendPlan, Plan, PoolPlan } from '../core/plan.ts';
import { inPanic } from '../core/pool.ts';

/** What has happened to the backend that was looked at last, for people. */
export interface Cause {
  readonly backend: string;
  readonly detail: string | undefined;
}

type WhyNot = 'maint' | 'drained' | 'down' | 'circuit-open';

export class PoolWatch {
  readonly #ledger: Ledger;
  readonly #logger: Logger;
  readonly #now: () => number;
  #pools: ReadonlyMap<string, PoolPlan> = new Map();
  /** Since when pools have none, by name. */
  readonly #emptySinceMs = new Map<string, number>();

  constructor(ledger: Ledger, logger: Logger, now: () => number) {
    this.#ledger = ledger;
    this.#logger = logger;
    this.#now = now;
  }

  /** A new plan: looks at all its pools. */
  follow({ pools }: Plan): void {
    this.#pools = new Map(pools.map((pool) => [pool.name, pool]));
    for (const name of this.#emptySinceMs.keys()) if (!this.#pools.has(name)) this.#emptySinceMs.delete(name);
    for (const pool of pools) this.#look(pool);
  }

  /** A check or a breaker has changed what a backend of this pool can do. */
  changed(pool: string, cause: Cause): void {
    const plan = this.#pools.get(pool);
    if (plan !== undefined) this.#look(plan, cause);
  }

  #look(pool: PoolPlan, cause?: Cause): void {
    const { name } = pool;
    const sinceMs = this.#emptySinceMs.get(name);
    const ignoresHealth = this.#ignoresHealth(pool);
    const first = pool.backends.find((backend) => this.#whyNot(pool, backend, ignoresHealth) === undefined);
    if (first !== undefined && sinceMs !== undefined) {
      this.#emptySinceMs.delete(name);
      const afterMs = Math.round(this.#now() - sinceMs);
      const { backend, detail } = cause ?? { backend: first.name, detail: undefined };
      this.#logger.info({ pool: name, backend, detail, afterMs }, 'pool has one again');
    }
    if (first === undefined && sinceMs === undefined) {
      this.#emptySinceMs.set(name, this.#now());
      this.#logger.warn(
        { pool: name, ...cause, why: this.#why(pool, ignoresHealth) },
        'pool has no backend left',
      );
    }
  }

  /** As in `2 down, 1 circuit-open`. */
  #why(pool: PoolPlan, ignoresHealth: boolean): string {
    const counts = new Map<WhyNot, number>();
    for (const backend of pool.backends) {
      const why = this.#whyNot(pool, backend, ignoresHealth);
      if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
    }
    const words = [...counts].map(([why, count]) => `${count} ${why}`);
    return words.length === 0 ? 'no address is known' : words.join(', ');
  }

  #whyNot(
    { policy }: PoolPlan,
    { slot, state, weight }: BackendPlan,
    ignoresHealth: boolean,
  ): WhyNot | undefined {
    if (state === 'maint') return 'maint';
    if (state === 'drain' || weight === 0) return 'drained';
    if (!ignoresHealth && this.#isDown(slot)) return 'down';
    if (policy.circuitBreaker !== 'off' && this.#ledger.circuitOf(slot) !== 'closed') return 'circuit-open';
    return undefined;
  }

  #ignoresHealth({ policy, backends }: PoolPlan): boolean {
    if (policy.panicThresholdPercent === 0) return false;
    return inPanic(
      policy,
      backends.map(({ slot, state, weight }) => ({
        isWanted: state === 'ready' && weight > 0,
        isDown: this.#isDown(slot),
      })),
    );
  }

  #isDown(slot: number): boolean {
    return Atomics.load(this.#ledger.health, slot) === down;
  }
}

const down = healthWords.indexOf('down');
