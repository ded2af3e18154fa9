/**
 * Backends that serve the same thing, and the sessions that wait for one. Primaries are asked first, backups
 * only when no primary can. A pool outlives reloads that keep its name, with its queue and, where its
 * backends stay as they are, with its balancers' memory.
 */
import { Backend, unavailability } from './backend.ts';
import type { Balancer, Tier } from './balancers/balancer.ts';
import { balancers } from './balancers/table.ts';
import type { BackendSlot, PoolSlot } from './contract.ts';
import { Lease } from './lease.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { PoolPlan, PoolPolicy } from './plan.ts';
import { SessionQueue } from './queue.ts';

/** Why there is no lease: `all-tried` where only backends that this session tried before could take it. */
export type NoLease = 'all-tried' | 'pool-full' | 'no-backend';

export class Pool<Waiting = unknown> {
  readonly slot: PoolSlot;
  readonly name: string;
  readonly queue: SessionQueue<Waiting>;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  #plan: PoolPlan;
  #backends: readonly Backend[] = [];
  #tiers: readonly BackendTier[] = [];
  #heedHealth = true;

  constructor(plan: PoolPlan, ledger: Ledger, random: () => number) {
    this.slot = plan.slot;
    this.name = plan.name;
    this.queue = new SessionQueue(ledger, plan.slot);
    this.#ledger = ledger;
    this.#random = random;
    this.#plan = plan;
    this.#build();
  }

  get policy(): PoolPolicy {
    return this.#plan.policy;
  }

  /** Takes over a new plan of the same pool. One that says the same changes nothing. */
  follow(plan: PoolPlan): void {
    const stays = madeFrom(plan) === madeFrom(this.#plan);
    this.#plan = plan;
    if (stays) this.healthChanged();
    else this.#build();
  }

  /** The pool is gone from the plan: no backend takes another session. */
  retire(): void {
    this.follow({ ...this.#plan, backends: [] });
  }

  /** Picks a backend for a client and takes a lease on it, leaving out those in `tried`. */
  place(clientAddress: string, tried: readonly BackendSlot[], nowMs: number): Lease | NoLease {
    for (const tier of this.#tiers) {
      const lease = tier.place(this.#plan, clientAddress, tried, nowMs, this.#heedHealth);
      if (lease !== undefined) return lease;
    }
    return this.#whyNot(tried, nowMs);
  }

  /** Health words have changed: looks again whether the pool is in panic, so that health is ignored. */
  healthChanged(): void {
    const { panicThresholdPercent } = this.policy;
    const healthy = this.#backends.filter((backend) => !backend.isDown).length;
    this.#heedHealth = healthy * 100 >= panicThresholdPercent * this.#backends.length;
  }

  /** The most telling reason: willing but tried, then willing but full, then not willing at all. */
  #whyNot(tried: readonly BackendSlot[], nowMs: number): NoLease {
    let full = false;
    for (const backend of this.#backends) {
      const why = unavailability(backend, nowMs, { heedHealth: this.#heedHealth });
      if (why === undefined && tried.includes(backend.slot)) return 'all-tried';
      if (why === undefined || why === 'full') full = true;
    }
    return full ? 'pool-full' : 'no-backend';
  }

  #build(): void {
    const { backends, policy } = this.#plan;
    const known = backends.map((plan) => ({
      backend: new Backend(plan, policy, this.#ledger, this.#random),
      backup: plan.backup,
    }));
    this.#backends = known.map(({ backend }) => backend);
    this.#tiers = [false, true].flatMap((backup) => {
      const members = known.filter((one) => one.backup === backup).map((one) => one.backend);
      return members.length === 0 ? [] : [new BackendTier(members, policy, this.#ledger, this.#random)];
    });
    this.healthChanged();
  }
}

/** What backends and balancers are made from; the rest of a plan is asked each time. */
function madeFrom({ backends, policy: { balance, circuitBreaker, slowStartMs } }: PoolPlan): string {
  return JSON.stringify([backends, balance, circuitBreaker, slowStartMs]);
}

/** All primaries of a pool, or all its backups, with their balancer. */
class BackendTier implements Tier {
  readonly #backends: readonly Backend[];
  readonly #balancer: Balancer;
  readonly #ledger: Ledger;
  // The session that is being placed, for `admits`.
  #tried: readonly BackendSlot[] = [];
  #nowMs = 0;
  #healthHeed: { readonly heedHealth: boolean } = heeded;

  constructor(backends: readonly Backend[], policy: PoolPolicy, ledger: Ledger, random: () => number) {
    this.#backends = backends;
    this.#ledger = ledger;
    this.#balancer = balancers[policy.balance](this, random);
  }

  place(
    pool: PoolPlan,
    clientAddress: string,
    tried: readonly BackendSlot[],
    nowMs: number,
    heedHealth: boolean,
  ): Lease | undefined {
    this.#tried = tried;
    this.#nowMs = nowMs;
    this.#healthHeed = heedHealth ? heeded : ignored;
    // Another worker may take a backend's last place between the pick and the lease: then pick again.
    for (let attempt = 0; attempt < this.#backends.length; attempt++) {
      const backend = this.#backends[this.#balancer.pick(clientAddress)];
      if (backend === undefined) return undefined;
      const lease = Lease.take(
        this.#ledger,
        { slot: pool.slot, maxConnections: pool.policy.limits.maxConnections },
        backend,
        nowMs,
      );
      if (lease instanceof Lease) return lease;
      if (lease === 'pool-full') return undefined;
    }
    return undefined;
  }

  get size(): number {
    return this.#backends.length;
  }

  weight(index: number): number {
    return this.#at(index).weight;
  }

  name(index: number): string {
    return this.#at(index).name;
  }

  admits(index: number): boolean {
    const backend = this.#at(index);
    return (
      unavailability(backend, this.#nowMs, this.#healthHeed) === undefined &&
      !this.#tried.includes(backend.slot)
    );
  }

  active(index: number): number {
    return this.#at(index).active;
  }

  rampPercent(index: number): number {
    return this.#at(index).rampPercent(this.#nowMs);
  }

  #at(index: number): Backend {
    const backend = this.#backends[index];
    if (backend === undefined) throw new RangeError(`The tier has no backend ${index}`);
    return backend;
  }
}

const heeded = { heedHealth: true };
const ignored = { heedHealth: false };
