/** All primaries of a pool, or all its backups of one rank, with the balancer that picks among them. */
import { unavailability } from './availability/availability.ts';
import type { Backend } from './backend.ts';
import type { Balancer, Tier } from './balancers/balancer.ts';
import { balancers } from './balancers/table.ts';
import type { BackendSlot } from './contract.ts';
import { Lease } from './lease.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Endpoint } from './net/endpoint.ts';
import type { PoolPlan } from './plan.ts';

export class BackendTier implements Tier {
  readonly #backends: readonly Backend[];
  readonly #weights: readonly number[];
  readonly #balancer: Balancer;
  readonly #ledger: Ledger;
  readonly #turnSlot: number;
  // The session that is being placed, for `admits`.
  #tried: readonly BackendSlot[] = [];
  #nowMs = 0;
  #inPanic = false;

  constructor(
    { slot, policy }: PoolPlan,
    tier: number,
    backends: readonly Backend[],
    ledger: Ledger,
    random: () => number,
  ) {
    this.#backends = backends;
    this.#weights = inIntegers(backends.map(({ plan }) => plan.weight));
    this.#ledger = ledger;
    // All backups share a counter: turns are taken among one rank at a time, as a rule.
    this.#turnSlot = slot * 2 + (tier === 0 ? 0 : 1);
    this.#balancer = balancers[policy.balance].make(this, random);
  }

  place(
    pool: PoolPlan,
    client: Endpoint,
    tried: readonly BackendSlot[],
    nowMs: number,
    inPanic: boolean,
  ): Lease | undefined {
    this.#tried = tried;
    this.#nowMs = nowMs;
    this.#inPanic = inPanic;
    // Another worker may acquire a backend's last place between the pick and the lease: then pick again.
    for (let attempt = 0; attempt < this.#backends.length; attempt++) {
      const backend = this.#backends[this.#balancer.pick(client)];
      if (backend === undefined) return undefined;
      const lease = Lease.acquire(
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
    return this.#weights[index] ?? 0;
  }

  name(index: number): string {
    return this.#at(index).plan.name;
  }

  admits(index: number): boolean {
    const backend = this.#at(index);
    return (
      unavailability(backend, this.#nowMs, this.#inPanic) === undefined && !this.#tried.includes(backend.slot)
    );
  }

  active(index: number): number {
    return this.#at(index).active;
  }

  nextTurn(): number {
    return Atomics.add(this.#ledger.turns, this.#turnSlot, 1) >>> 0;
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

/** Weights come in thousandths, and balancers count in integers; where all are whole, they stay as they are. */
function inIntegers(weights: readonly number[]): readonly number[] {
  if (weights.every(Number.isInteger)) return weights;
  return weights.map((weight) => Math.round(weight * 1_000));
}
