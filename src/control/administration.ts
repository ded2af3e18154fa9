/**
 * The layers over the configured backends: keeps what operators and sources want of them, and says what the plan then
 * says of each.
 */
import { nearest } from '../config/nearest.ts';
import type { AdminState, Layer } from '../core/admin-state.ts';
import { configuredFields, effective, statesOf } from './layers.ts';
import {
  type BackendFields,
  type BackendName,
  type BackendPatch,
  type Mark,
  type Override,
  Overrides,
} from './overrides.ts';
import type { ExpandedBackend, ExpandedPool } from './planner.ts';

/** How a backend is administered: for people. */
export interface Administered extends BackendName {
  readonly layers: Layers;
  readonly effective: BackendFields;
  readonly overrides: readonly Override[];
}

/** What each layer wants of a backend. */
export type Layers = Readonly<Record<Layer, AdminState>>;

/** No pool or backend has the name; the nearest that one has, if any is near. */
export class UnknownName extends Error {
  constructor(what: 'pool' | 'backend' | 'listener', name: string, candidates: readonly string[]) {
    const near = nearest(name, candidates);
    const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
    super(`There is no ${what} ${JSON.stringify(name)}${hint}`);
  }
}

export class Administration {
  #overrides = Overrides.none;
  #pools: readonly ExpandedPool[] = [];
  /** By pool and backend. */
  #layers: ReadonlyMap<string, Layers> = new Map();

  get overrides(): readonly Override[] {
    return this.#overrides.list;
  }

  get nextEndMs(): number | undefined {
    return this.#overrides.nextEndMs;
  }

  /**
   * The pools of a configuration as they are administered. Nothing changes before `commit`, which gives the overrides
   * that the configuration has overtaken.
   */
  over(pools: readonly ExpandedPool[], nowMs: number) {
    const backends = new Map<string, ExpandedBackend>();
    for (const { name: pool, backends: configured } of pools) {
      for (const one of configured) {
        for (const backend of namesOf(one).toReversed()) backends.set(`${pool} ${backend}`, one);
      }
    }
    const { overrides, dropped } = this.#overrides.following(({ pool, backend }) => {
      const configured = backends.get(`${pool} ${backend}`);
      return configured && configuredFields(configured);
    }, nowMs);
    return {
      pools: pools.map((pool) => ({
        ...pool,
        backends: pool.backends.map((one) => ({
          ...one,
          ...effective(one, overrides.of(pool.name, namesOf(one))),
        })),
      })),
      commit: (): readonly Override[] => {
        this.#overrides = overrides;
        this.#pools = pools;
        this.#layers = new Map(
          pools.flatMap(({ name, backends: configured }) =>
            configured.map((one) => [`${name} ${one.name}`, statesOf(one, overrides.of(name, namesOf(one)))]),
          ),
        );
        return dropped;
      },
    };
  }

  /** What each layer wants of a backend of the plan. */
  layersOf({ pool, backend }: BackendName): Layers | undefined {
    return this.#layers.get(`${pool} ${backend}`);
  }

  /** Throws an UnknownName. */
  backend(name: BackendName): Administered {
    const configured = this.#configured(name);
    const overrides = this.#overrides.of(name.pool, namesOf(configured));
    const { state, weight, maxConnections } = effective(configured, overrides);
    return {
      pool: name.pool,
      backend: configured.name,
      layers: statesOf(configured, overrides),
      effective: { ...configuredFields({ weight, maxConnections }), state },
      overrides: Object.values(overrides),
    };
  }

  /** The change holds from the next plan on. Throws an UnknownName. */
  patch(name: BackendName, patch: BackendPatch, mark: Mark): void {
    const configured = this.#configured(name);
    this.#overrides = this.#overrides.patched(name, patch, configuredFields(configured), mark);
  }

  /** Goes back to the configuration for one backend, or for all. Throws an UnknownName. */
  reset(name?: BackendName): void {
    const isKept = this.overrides.some((one) => one.pool === name?.pool && one.backend === name.backend);
    if (name !== undefined && !isKept) this.#configured(name);
    this.#overrides = this.#overrides.without(name);
  }

  /** Takes over what was kept of an earlier process. */
  restore(list: readonly Override[]): void {
    this.#overrides = new Overrides(list);
  }

  /** Ends the overrides whose time is over, and gives them. */
  expire(nowMs: number): readonly Override[] {
    const { overrides, dropped } = this.#overrides.expired(nowMs);
    this.#overrides = overrides;
    return dropped;
  }

  #configured({ pool: poolName, backend }: BackendName): ExpandedBackend {
    const pool = this.#pools.find(({ name }) => name === poolName);
    if (pool === undefined) {
      throw new UnknownName(
        'pool',
        poolName,
        this.#pools.map(({ name }) => name),
      );
    }
    const found = pool.backends.find((one) => namesOf(one).includes(backend));
    if (found === undefined) throw new UnknownName('backend', backend, pool.backends.flatMap(namesOf));
    return found;
  }
}

/** Those that a backend goes by: as status shows it, and as the configuration has it. */
function namesOf({ name, configuredAs }: ExpandedBackend): readonly string[] {
  return name === configuredAs ? [name] : [name, configuredAs];
}
