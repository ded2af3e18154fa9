/** Turns a checked configuration, and what its names stand for now, into the plan that workers follow. */
import { formatAddress, formatTarget } from '../config/addresses.ts';
import type { BackendConfig, Config, PoolConfig, RouteConfig, Target } from '../config/config.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { BackendPlan, Plan, PoolHold, RoutePlan } from '../core/plan.ts';
import type { TargetAddress } from './discovery/provider.ts';
import { Slots } from './slots.ts';

export class Planner {
  readonly #listeners: Slots;
  readonly #pools: Slots;
  readonly #backends: Slots;
  readonly #splits: Slots;

  constructor(ledger: Ledger) {
    const { listeners, pools, backends, splits } = ledger.capacity;
    this.#listeners = new Slots('listeners', listeners, {
      isHeld: (slot) => ledger.openSessions(slot) > 0,
      clear: (slot) => ledger.clear('listeners', slot),
    });
    this.#pools = new Slots('pools', pools, {
      isHeld: (slot) => ledger.poolActive.total(slot) + ledger.poolQueued.total(slot) > 0,
      clear: (slot) => ledger.clear('pools', slot),
    });
    this.#backends = new Slots('backends', backends, {
      isHeld: (slot) => ledger.backendActive.total(slot) > 0,
      clear: (slot) => ledger.clear('backends', slot),
    });
    this.#splits = new Slots('splits', splits, {
      isHeld: () => false,
      clear: (slot) => ledger.clear('splits', slot),
    });
  }

  /** `pools` are those of the configuration. Throws a RangeError where the ledger has no room for all of it. */
  plan(config: Config, pools: readonly ExpandedPool[]): Plan {
    const assigned = {
      listeners: this.#listeners.assign(config.listeners.map(({ name }) => name)),
      pools: this.#pools.assign(pools.map(({ name }) => name)),
      backends: this.#backends.assign(
        pools.flatMap((pool) => pool.backends.map((backend) => `${pool.name} ${backend.name}`)),
      ),
      splits: this.#splits.assign(
        config.listeners.flatMap(({ name, routes }) =>
          routes.flatMap(({ to }, index) => (to.length > 1 ? [splitName(name, index)] : [])),
        ),
      ),
    };
    // Only now that each has found room: one that throws leaves the others as they were.
    for (const { commit } of Object.values(assigned)) commit();
    const target = ({ to }: RouteConfig, split: string): RoutePlan['to'] => {
      const shares = to.map(({ pool, weight }) => ({ pool: slotOf(assigned.pools.slots, pool), weight }));
      const [only] = shares;
      if (only !== undefined && shares.length === 1) return only.pool;
      return { slot: slotOf(assigned.splits.slots, split), shares };
    };
    return {
      listeners: config.listeners.map(({ name, pool, routes, policy }) => ({
        slot: slotOf(assigned.listeners.slots, name),
        name,
        pool: pool === undefined ? undefined : slotOf(assigned.pools.slots, pool),
        routes: routes.map((route, index) => ({
          when: route.when,
          to: target(route, splitName(name, index)),
        })),
        policy,
      })),
      pools: pools.map(({ name, policy, backends, hold }) => ({
        slot: slotOf(assigned.pools.slots, name),
        name,
        policy,
        ...(hold && { hold }),
        backends: backends.map(({ configuredAs: _, ...backend }) => ({
          slot: slotOf(assigned.backends.slots, `${name} ${backend.name}`),
          ...backend,
        })),
      })),
    };
  }
}

function splitName(listener: string, route: number): string {
  return `${listener} routes[${route}]`;
}

export type ExpandedPool = Omit<PoolConfig, 'backends'> & {
  readonly backends: readonly ExpandedBackend[];
  readonly hold?: PoolHold | undefined;
};

/** `configuredAs`: what the configuration has for it, and maybe for others. */
export type ExpandedBackend = Omit<BackendPlan, 'slot'> & { readonly configuredAs: string };

/** The pools as they are configured, with a backend for each of what its targets stand for. */
export function expand(
  config: Config,
  addressesOf: (target: Target) => readonly TargetAddress[],
): readonly ExpandedPool[] {
  return config.pools.map((pool) => ({
    ...pool,
    backends: distinct(pool.backends.flatMap((backend) => spread(backend, addressesOf(backend.target)))),
  }));
}

function spread(backend: BackendConfig, addresses: readonly TargetAddress[]): readonly ExpandedBackend[] {
  const itsName = writtenName(backend.target);
  return addresses.map(({ address, writtenAs, hostName = itsName, weight = 1, rank = 0 }) => ({
    name: writtenAs ?? formatAddress(address),
    address,
    hostName,
    state: 'ready',
    weight: backend.weight * weight,
    backup: backend.backup || rank > 0,
    backupRank: backend.backup ? rank : Math.max(0, rank - 1),
    maxConnections: backend.maxConnections,
    configuredAs: formatTarget(backend.target),
  }));
}

/** Without the dot that says that a name is whole: certificates and Host headers have none. */
function writtenName(target: Target): string | undefined {
  const written = target.kind === 'name' ? target.name : target.kind === 'address' && target.hostName;
  return written ? written.replace(/\.$/, '') : undefined;
}

/** Two names may stand for one address: the first that does has it. */
function distinct(backends: readonly ExpandedBackend[]): readonly ExpandedBackend[] {
  return [...new Map(backends.toReversed().map((backend) => [backend.name, backend])).values()].toReversed();
}

function slotOf(slots: ReadonlyMap<string, number>, name: string): number {
  const slot = slots.get(name);
  if (slot === undefined) throw new Error(`Nothing was assigned to ${name}`);
  return slot;
}
