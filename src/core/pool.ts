/**
 * Backends that serve the same thing, and the sessions that wait for one. Primaries are asked first, backups
 * only when no primary can. A pool outlives reloads that keep its name, with its queue and, where its
 * backends stay as they are, with its balancers' memory.
 */
import { unavailability } from './availability/availability.ts';
import { Backend } from './backend.ts';
import { BackendTier } from './backend-tier.ts';
import type { BackendSlot, PoolSlot } from './contract.ts';
import { HoldPace, queuePolicyOf } from './hold.ts';
import type { Lease } from './lease.ts';
import { circuitWords, type Ledger } from './ledger/ledger.ts';
import type { Endpoint } from './net/endpoint.ts';
import { type PoolPlan, type PoolPolicy, type QueuePolicy, tierOf } from './plan.ts';
import { type QueuedSession, SessionQueue } from './queue.ts';
import type { CircuitIncident } from './reports.ts';

/**
 * Why there is no lease: `all-tried` where only backends that this session tried before could take it, `held` where
 * none is asked, or none yet.
 */
export type NoLease = 'all-tried' | 'pool-full' | 'no-backend' | 'held';

export class Pool {
  readonly slot: PoolSlot;
  readonly name: string;
  readonly queue: SessionQueue<QueuedSession>;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #tell: (incident: CircuitIncident) => void;
  #plan: PoolPlan;
  #backends: readonly Backend[] = [];
  #tiers: readonly BackendTier[] = [];
  #slots: ReadonlySet<BackendSlot> = new Set();
  /** Undefined until it is asked for: health words may change many times before that. */
  #panic: boolean | undefined;
  #isRetired = false;
  readonly #hold: HoldPace;

  constructor(
    plan: PoolPlan,
    ledger: Ledger,
    random: () => number,
    tell: (incident: CircuitIncident) => void = () => {},
  ) {
    this.slot = plan.slot;
    this.name = plan.name;
    this.queue = new SessionQueue(ledger, plan.slot);
    this.#hold = new HoldPace(ledger, plan.slot);
    this.#ledger = ledger;
    this.#random = random;
    this.#tell = tell;
    this.#plan = plan;
    this.#hold.follow(plan.hold);
    this.#build();
  }

  get policy(): PoolPolicy {
    return this.#plan.policy;
  }

  /** What holds for its queue now. */
  get queuePolicy(): QueuePolicy {
    return queuePolicyOf(this.#plan);
  }

  /** Its clients wait, whatever its backends say. */
  get isHeld(): boolean {
    return this.#hold.isHeld;
  }

  /** Takes over a new plan of the same pool. One that says the same changes nothing. */
  follow(plan: PoolPlan): void {
    const stays = madeFrom(plan) === madeFrom(this.#plan);
    this.#plan = plan;
    this.#hold.follow(plan.hold);
    if (stays) this.healthChanged();
    else this.#build();
  }

  /** It is gone from the plan. Once nobody holds its slot, another pool may have that. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** The pool is gone from the plan: no backend takes another session. */
  retire(): void {
    this.#isRetired = true;
    this.follow({ ...this.#plan, backends: [], hold: undefined });
  }

  /** Picks a backend for a client and takes a lease on it, leaving out those in `tried`. */
  place(client: Endpoint, tried: readonly BackendSlot[], nowMs: number): Lease | NoLease {
    if (!this.#hold.tryPass(nowMs)) return 'held';
    for (const tier of this.#tiers) {
      const lease = tier.place(this.#plan, client, tried, nowMs, this.#inPanic());
      if (lease !== undefined) return lease;
    }
    this.#hold.giveBack();
    return this.#whyNot(tried, nowMs);
  }

  /**
   * Whether the first that waits here may have a place now: nobody of another worker stands before it, or there is
   * room for those as well. Where no backend is willing there is nothing to wait for, so that it may go too.
   */
  admitsFirst(nowMs: number): boolean {
    // In this order: a session that has taken a place since is not before it any more, and the place is not free.
    const before = this.queue.beforeFirst;
    return before === 0 || this.room(nowMs) > before;
  }

  /** When those that wait may go by time alone; Infinity where only something that happens lets them. */
  nextLookMs(nowMs: number): number {
    return Math.min(this.#hold.nextLookMs(nowMs), this.#circuitOpenUntilMs(nowMs));
  }

  /** When the first of its open breakers lets a session try again; Infinity where none is open. */
  #circuitOpenUntilMs(nowMs: number): number {
    const { state, untilMs } = this.#ledger.circuit;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const { slot, breaker } of this.#backends) {
      if (breaker === undefined || Atomics.load(state, slot) !== circuitOpen) continue;
      const endMs = untilMs[slot] ?? 0;
      if (endMs > nowMs && endMs < soonestMs) soonestMs = endMs;
    }
    return soonestMs;
  }

  has(backend: BackendSlot): boolean {
    return this.#slots.has(backend);
  }

  /** Health words have changed, so that it may be in panic from now on, or not any more. */
  healthChanged(): void {
    this.#panic = undefined;
  }

  /** Health is ignored. */
  #inPanic(): boolean {
    this.#panic ??= inPanic(this.policy, this.#backends);
    return this.#panic;
  }

  /** The most telling reason: willing but tried, then willing but full, then not willing at all. */
  #whyNot(tried: readonly BackendSlot[], nowMs: number): NoLease {
    let full = false;
    for (const backend of this.#backends) {
      const why = unavailability(backend, nowMs, this.#inPanic());
      if (why === undefined && tried.includes(backend.slot)) return 'all-tried';
      if (why === undefined || why === 'full') full = true;
    }
    return full ? 'pool-full' : 'no-backend';
  }

  /** Whether a session waits also where no backend is willing. */
  get waitsForBackend(): boolean {
    return this.queuePolicy.whenNoBackend === 'wait';
  }

  /** How many sessions certainly find a backend now; Infinity where none is willing, and none is waited for. */
  room(nowMs: number): number {
    const room = this.#hold.room(nowMs);
    return room === 0 ? 0 : Math.min(room, this.#backendRoom(nowMs));
  }

  #backendRoom(nowMs: number): number {
    let room = 0;
    let isWilling = false;
    for (const backend of this.#backends) {
      const why = unavailability(backend, nowMs, this.#inPanic());
      if (why === undefined || why === 'full') isWilling = true;
      if (why === undefined) room += this.#ledger.circuitOf(backend.slot) === 'closed' ? backend.room : 1;
    }
    if (!isWilling) return this.waitsForBackend ? 0 : Number.POSITIVE_INFINITY;
    return Math.min(room, this.policy.limits.maxConnections - this.#ledger.poolActive.total(this.slot));
  }

  #build(): void {
    const { backends, policy } = this.#plan;
    this.#slots = new Set(backends.map(({ slot }) => slot));
    this.#backends = backends.map(
      (plan) =>
        new Backend(plan, policy, this.#ledger, this.#random, (change) =>
          this.#tell({ kind: 'circuit', pool: this.name, backend: plan.name, slot: plan.slot, change }),
        ),
    );
    const tiers = [...new Set(backends.map(tierOf))].sort((a, b) => a - b);
    this.#tiers = tiers.map((tier) => {
      const members = this.#backends.filter(({ plan }) => tierOf(plan) === tier);
      return new BackendTier(this.#plan, tier, members, this.#ledger, this.#random);
    });
    this.healthChanged();
  }
}

/** Whether so few of the backends that are to take sessions are healthy that health is ignored. */
export function inPanic(
  { panicThresholdPercent }: PoolPolicy,
  backends: readonly { readonly isWanted: boolean; readonly isDown: boolean }[],
): boolean {
  if (panicThresholdPercent === 0) return false;
  const wanted = backends.filter(({ isWanted }) => isWanted);
  const healthy = wanted.filter(({ isDown }) => !isDown).length;
  return healthy * 100 < panicThresholdPercent * wanted.length;
}

/** What backends and balancers are made from; the rest of a plan is asked each time. */
function madeFrom({ backends, policy: { balance, circuitBreaker, slowStartMs } }: PoolPlan): string {
  return JSON.stringify([backends, balance, circuitBreaker, slowStartMs]);
}

const circuitOpen = circuitWords.indexOf('open');
