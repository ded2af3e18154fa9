/** Turns a checked configuration, and what its names stand for now, into the plan that workers follow. */
import { formatAddress } from '../config/addresses.ts';
import type { BackendConfig, Config, Target } from '../config/config.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { BackendPlan, Plan } from '../core/plan.ts';
import type { Endpoint } from './names/endpoint.ts';
import { Slots } from './slots.ts';

export class Planner {
  readonly #listeners: Slots;
  readonly #pools: Slots;
  readonly #backends: Slots;

  constructor(ledger: Ledger) {
    const { listeners, pools, backends } = ledger.capacity;
    this.#listeners = new Slots('listeners', listeners, {
      isHeld: (slot) => ledger.openSessions(slot) > 0,
      clear: (slot) => ledger.clearListener(slot),
    });
    this.#pools = new Slots('pools', pools, {
      isHeld: (slot) => ledger.poolActive.total(slot) + ledger.poolQueued.total(slot) > 0,
      clear: (slot) => ledger.clearPool(slot),
    });
    this.#backends = new Slots('backends', backends, {
      isHeld: (slot) => ledger.backendActive.total(slot) > 0,
      clear: (slot) => ledger.clearBackend(slot),
    });
  }

  /** Throws a RangeError where the ledger has no room for all of it. */
  plan(config: Config, endpointsOf: (target: Target) => readonly Endpoint[]): Plan {
    const pools = config.pools.map((pool) => ({
      ...pool,
      backends: distinct(pool.backends.flatMap((backend) => spread(backend, endpointsOf(backend.target)))),
    }));
    const listenerSlots = this.#listeners.assign(config.listeners.map(({ name }) => name));
    const poolSlots = this.#pools.assign(pools.map(({ name }) => name));
    const backendSlots = this.#backends.assign(
      pools.flatMap((pool) => pool.backends.map((backend) => `${pool.name} ${backend.name}`)),
    );
    return {
      listeners: config.listeners.map(({ name, pool, policy }) => ({
        slot: slotOf(listenerSlots, name),
        name,
        pool: slotOf(poolSlots, pool),
        policy,
      })),
      pools: pools.map(({ name, policy, backends }) => ({
        slot: slotOf(poolSlots, name),
        name,
        policy,
        backends: backends.map((backend) => ({
          slot: slotOf(backendSlots, `${name} ${backend.name}`),
          ...backend,
        })),
      })),
    };
  }
}

type Spread = Omit<BackendPlan, 'slot'>;

function spread(backend: BackendConfig, endpoints: readonly Endpoint[]): readonly Spread[] {
  return endpoints.map(({ address, weight = 1, backup = false }) => ({
    name: formatAddress(address),
    address,
    weight: backend.weight * weight,
    backup: backend.backup || backup,
    maxConnections: backend.maxConnections,
  }));
}

/** Two names may stand for one address: the first that does has it. */
function distinct(backends: readonly Spread[]): readonly Spread[] {
  return [...new Map(backends.toReversed().map((backend) => [backend.name, backend])).values()].toReversed();
}

function slotOf(slots: ReadonlyMap<string, number>, name: string): number {
  const slot = slots.get(name);
  if (slot === undefined) throw new Error(`Nothing was assigned to ${name}`);
  return slot;
}
