/**
 * Tells when a pool has no backend left that takes sessions, and when it has one again. A breaker that is open or
 * half-open counts as one that refuses: what a trial shows is not known yet. Backends that are full do not.
 */
import type { Logger } from 'pino';
import { type Unavailability, unavailability } from '../core/availability/availability.ts';
import { Backend } from '../core/backend.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { Plan, PoolPolicy } from '../core/plan.ts';
import { inPanic } from '../core/pool.ts';

/** The last change of a backend, for people. */
export interface Cause {
  readonly backend: string;
  readonly detail: string | undefined;
}

interface WatchedPool {
  readonly name: string;
  readonly policy: PoolPolicy;
  readonly backends: readonly Backend[];
}

export class PoolWatch {
  readonly #ledger: Ledger;
  readonly #logger: Logger;
  readonly #now: () => number;
  #pools: ReadonlyMap<string, WatchedPool> = new Map();
  /** Since when pools have none, by name. */
  readonly #emptySinceMs = new Map<string, number>();

  constructor(ledger: Ledger, logger: Logger, now: () => number) {
    this.#ledger = ledger;
    this.#logger = logger;
    this.#now = now;
  }

  /** A new plan: looks at all its pools. */
  follow({ pools }: Plan): void {
    this.#pools = new Map(
      pools.map(({ name, policy, backends: plans }) => {
        const backends = plans.map((one) => new Backend(one, policy, this.#ledger, Math.random));
        return [name, { name, policy, backends }];
      }),
    );
    for (const name of this.#emptySinceMs.keys()) if (!this.#pools.has(name)) this.#emptySinceMs.delete(name);
    for (const pool of this.#pools.values()) this.#look(pool);
  }

  /** A check or a breaker has changed what a backend of this pool can do. */
  changed(pool: string, cause: Cause): void {
    const watched = this.#pools.get(pool);
    if (watched !== undefined) this.#look(watched, cause);
  }

  #look({ name, policy, backends }: WatchedPool, cause?: Cause): void {
    const sinceMs = this.#emptySinceMs.get(name);
    const ignoresHealth = inPanic(policy, backends);
    const first = backends.find((backend) => this.#whyNot(backend, ignoresHealth) === undefined);
    if (first !== undefined && sinceMs !== undefined) {
      this.#emptySinceMs.delete(name);
      const afterMs = Math.round(this.#now() - sinceMs);
      const { backend, detail } = cause ?? { backend: first.plan.name, detail: undefined };
      this.#logger.info({ pool: name, backend, detail, afterMs }, 'pool has one again');
    }
    if (first === undefined && sinceMs === undefined) {
      this.#emptySinceMs.set(name, this.#now());
      const whyNots = backends.map((backend) => this.#whyNot(backend, ignoresHealth));
      this.#logger.warn({ pool: name, ...cause, why: countsOf(whyNots) }, 'pool has no backend left');
    }
  }

  #whyNot(backend: Backend, ignoresHealth: boolean): Unavailability | undefined {
    const why = unavailability(backend, this.#now(), ignoresHealth);
    if (why !== undefined && why !== 'full') return why;
    const isUntried = backend.breaker !== undefined && this.#ledger.circuitOf(backend.slot) !== 'closed';
    return isUntried ? 'circuit-open' : undefined;
  }
}

/** As in `2 down, 1 circuit-open`. */
function countsOf(whyNots: readonly (Unavailability | undefined)[]): string {
  const counts = new Map<string, number>();
  for (const why of whyNots) if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
  return [...counts].map(([why, count]) => `${count} ${why}`).join(', ') || 'no address is known';
}
