/** The pools of a worker. Each lives as long as plans have its name, whatever else they change of it. */
import type { ListenerState } from './admission/pending-client.ts';
import type { Command, PoolSlot } from './contract.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { PoolPlan } from './plan.ts';
import { Pool } from './pool.ts';

export interface PoolsDeps {
  readonly ledger: Ledger;
  readonly random: () => number;
  command(command: Command): void;
}

export class Pools {
  readonly #deps: PoolsDeps;
  readonly #bySlot = new Map<PoolSlot, Pool>();

  constructor(deps: PoolsDeps) {
    this.#deps = deps;
  }

  /** The pool that has this slot now. */
  find(slot: PoolSlot): Pool | undefined {
    return this.#bySlot.get(slot);
  }

  /** The pool that a listener's plan means by a slot; undefined where it is gone, whatever has its slot now. */
  meantBy({ poolNames }: ListenerState, slot: PoolSlot | undefined = -1): Pool | undefined {
    const pool = this.#bySlot.get(slot);
    return pool?.name === poolNames.get(slot) ? pool : undefined;
  }

  all(): Iterable<Pool> {
    return this.#bySlot.values();
  }

  /** Says which pools are there still, which of these are held from now on, and which are gone. */
  follow(plans: readonly PoolPlan[]) {
    const gone = new Map(this.#bySlot);
    const kept: Pool[] = [];
    const newlyHeld: Pool[] = [];
    for (const plan of plans) {
      const pool = this.#bySlot.get(plan.slot);
      if (pool?.name !== plan.name) {
        this.#bySlot.set(plan.slot, this.#made(plan));
        continue;
      }
      const wasHeld = pool.isHeld;
      pool.follow(plan);
      kept.push(pool);
      if (pool.isHeld && !wasHeld) newlyHeld.push(pool);
      gone.delete(plan.slot);
    }
    for (const [slot, pool] of gone) {
      pool.retire();
      if (this.#bySlot.get(slot) === pool) this.#bySlot.delete(slot);
    }
    return { kept, newlyHeld, retired: [...gone.values()] };
  }

  #made(plan: PoolPlan): Pool {
    const { ledger, random, command } = this.#deps;
    return new Pool(plan, ledger, random, (incident) => command({ kind: 'tell', incident }));
  }
}
