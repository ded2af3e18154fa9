/**
 * Which backends a session may be sent to, and which it must not be kept from. Where the shadow can't know
 * (a change of health on its way to the worker, a round of dials that may have ended), both bounds are kept.
 */
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import type { BackendPlan } from '../../src/core/plan.ts';
import type { ShadowBreaker } from './shadow-breaker.ts';
import type { PoolView, ShadowSession, WorkerView } from './shadow-session.ts';
import type { Tally } from './tally.ts';

export type WhyNot = 'all-tried' | 'pool-full' | 'no-backend';
type Willingness = 'willing' | 'full' | 'unwilling';

export interface Held {
  readonly pools: Tally<number>;
  readonly backends: Tally<number>;
}

export class Choice {
  readonly #ledger: Ledger;
  readonly #held: Held;
  readonly #breakers: readonly ShadowBreaker[];

  constructor(ledger: Ledger, held: Held, breakers: readonly ShadowBreaker[]) {
    this.#ledger = ledger;
    this.#held = held;
    this.#breakers = breakers;
  }

  /** A pool that is held has none. */
  hasRoom({ plan }: PoolView): boolean {
    if (plan.hold?.phase === 'held') return false;
    return this.#held.pools.of(plan.slot) < plan.policy.limits.maxConnections;
  }

  /** Why this backend must not be dialed for the session now, if so. */
  objection(
    worker: WorkerView,
    pool: PoolView,
    session: ShadowSession,
    backend: BackendPlan,
    nowMs: number,
  ): string | undefined {
    if (!this.hasRoom(pool)) return 'the pool is full';
    if (session.surelyTried.has(backend.slot)) return 'it was tried in this round';
    const found = this.#heeds(worker, pool).map((heed) => this.#willingness(pool, backend, heed, nowMs));
    if (!found.includes('willing')) return `it is ${found.join(' or ')}`;
    const primary = this.open(worker, pool, session, nowMs).find((open) => !open.backup);
    if (backend.backup && primary !== undefined) return `primary ${primary.slot} could take it`;
    return undefined;
  }

  /** Backends that could take the session without any doubt. */
  open(
    worker: WorkerView,
    pool: PoolView,
    session: Pick<ShadowSession, 'maybeTried'>,
    nowMs: number,
  ): BackendPlan[] {
    // Whether a release lets somebody go at this moment is for its pace to say.
    if (!this.hasRoom(pool) || isPaced(pool)) return [];
    const heeds = this.#heeds(worker, pool);
    return pool.plan.backends.filter(
      (backend) =>
        !session.maybeTried.has(backend.slot) &&
        heeds.every((heed) => this.#willingness(pool, backend, heed, nowMs) === 'willing'),
    );
  }

  /** How many sessions may find a place now, at most. */
  room(worker: WorkerView, pool: PoolView, nowMs: number): number {
    const willing = pool.plan.backends.filter((backend) =>
      this.#heeds(worker, pool).some((heed) => this.#willingness(pool, backend, heed, nowMs) === 'willing'),
    );
    const left = willing.map(({ slot, maxConnections }) => maxConnections - this.#held.backends.of(slot));
    const leftInPool = pool.plan.policy.limits.maxConnections - this.#held.pools.of(pool.plan.slot);
    return Math.min(
      leftInPool,
      left.reduce((sum, one) => sum + one, 0),
    );
  }

  /** What there may be to say to a session that found nobody. */
  whyNot(worker: WorkerView, pool: PoolView, session: ShadowSession, nowMs: number): ReadonlySet<WhyNot> {
    // Whoever finds nobody waits, during a release too.
    if (pool.plan.hold !== undefined) return new Set(['pool-full']);
    const answers = new Set<WhyNot>();
    for (const tried of [session.surelyTried, session.maybeTried]) {
      for (const heed of this.#heeds(worker, pool)) {
        const able = pool.plan.backends
          .map((backend) => ({ slot: backend.slot, how: this.#willingness(pool, backend, heed, nowMs) }))
          .filter(({ how }) => how !== 'unwilling');
        if (able.some(({ slot, how }) => how === 'willing' && tried.has(slot))) answers.add('all-tried');
        else answers.add(able.length > 0 ? 'pool-full' : 'no-backend');
      }
    }
    return answers;
  }

  #willingness(pool: PoolView, backend: BackendPlan, heedHealth: boolean, nowMs: number): Willingness {
    const { slot, maxConnections } = backend;
    if (!isWanted(backend)) return 'unwilling';
    if (heedHealth && this.#isDown(backend)) return 'unwilling';
    if (this.#breakers[slot]?.admits(pool.plan.policy.circuitBreaker, nowMs) !== true) return 'unwilling';
    return this.#held.backends.of(slot) < maxConnections ? 'willing' : 'full';
  }

  #heeds(worker: WorkerView, { plan }: PoolView): readonly boolean[] {
    if (worker.healthIsStale()) return [true, false];
    const wanted = plan.backends.filter(isWanted);
    const healthy = wanted.filter((backend) => !this.#isDown(backend)).length;
    return [healthy * 100 >= plan.policy.panicThresholdPercent * wanted.length];
  }

  #isDown({ slot }: BackendPlan): boolean {
    return this.#ledger.healthOf(slot) === 'down';
  }
}

/** Whether so many a second go after a hold, and no more. */
export function isPaced({ plan: { hold } }: PoolView): boolean {
  return hold?.phase === 'releasing' && hold.ratePerSecond < Number.POSITIVE_INFINITY;
}

/** Whether the plan lets it have sessions at all; that it is down or broken is another matter. */
function isWanted({ state, weight }: BackendPlan): boolean {
  return state === 'ready' && weight > 0;
}
