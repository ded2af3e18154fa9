/**
 * The layers over the configured backends, and what operators want of pools: keeps what operators and sources want, and
 * says what the plan then says of each.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Accept } from '../core/admin-state.ts';
import type { PoolHold } from '../core/plan.ts';
import {
  type Administered,
  type AdministeredListener,
  type AdministeredPool,
  type HoldState,
  type Layers,
  revisionOf,
  StaleRevision,
  UnknownName,
} from './administered.ts';
import { configuredFields, effective, type SourceWish, statesOf } from './layers.ts';
import {
  type BackendName,
  type BackendPatch,
  type Hold,
  type ListenerFields,
  type ListenerOverride,
  type Mark,
  type Override,
  Overrides,
  type PatchOf,
  type PoolFields,
} from './overrides.ts';
import type { ExpandedBackend, ExpandedPool } from './planner.ts';
import { Releases } from './releases.ts';

export interface PoolPatch extends PatchOf<{ readonly hold: Hold }> {
  /** Sessions that go in a second once the hold is over: it is over with this. */
  readonly releasePerSecond?: number | undefined;
}

export class Administration {
  #overrides = Overrides.none;
  #pools: readonly ExpandedPool[] = [];
  #listeners: readonly string[] = [];
  /** By pool and backend. */
  #layers: ReadonlyMap<string, Layers> = new Map();
  readonly #releases = new Releases();
  /** What backends say of themselves, by pool and backend. */
  readonly #sources = new Map<string, SourceWish>();

  get overrides(): readonly Override[] {
    return this.#overrides.list;
  }

  get nextEndMs(): number | undefined {
    return this.#overrides.nextEndMs;
  }

  /** Whether clients go of a pool whose hold is over. */
  get isReleasing(): boolean {
    return this.#releases.pools.length > 0;
  }

  /**
   * The pools of a configuration, which has these listeners too, as they are administered. Nothing changes before
   * `commit`, which gives the overrides that the configuration has overtaken.
   */
  over(pools: readonly ExpandedPool[], listeners: readonly string[], nowMs: number) {
    const backends = new Map<string, ExpandedBackend>();
    for (const { name: pool, backends: configured } of pools) {
      for (const one of configured) {
        for (const backend of namesOf(one).toReversed()) backends.set(`${pool} ${backend}`, one);
      }
    }
    const names = new Set(pools.map(({ name }) => name));
    const { overrides, dropped } = this.#overrides.following((name) => {
      if ('listener' in name) return listeners.includes(name.listener) ? accepting : undefined;
      if (!('backend' in name)) return names.has(name.pool) ? notHeld : undefined;
      const configured = backends.get(`${name.pool} ${name.backend}`);
      return configured && configuredFields(configured);
    }, nowMs);
    return {
      pools: pools.map((pool) => ({
        ...pool,
        hold: heldBy(overrides, pool.name) ?? this.#releases.holdOf(pool.name),
        backends: pool.backends.map((one) => ({
          ...one,
          ...effective(
            one,
            overrides.of(pool.name, namesOf(one)),
            this.#sources.get(`${pool.name} ${one.name}`),
          ),
        })),
      })),
      commit: (): readonly Override[] => {
        this.#overrides = overrides;
        this.#pools = pools;
        this.#listeners = listeners;
        this.#layers = new Map(
          pools.flatMap(({ name, backends: configured }) =>
            configured.map((one) => {
              const key = `${name} ${one.name}`;
              return [key, statesOf(one, overrides.of(name, namesOf(one)), this.#sources.get(key))];
            }),
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
    const source = this.#sources.get(`${name.pool} ${configured.name}`);
    const { state, weight, maxConnections } = effective(configured, overrides, source);
    return {
      pool: name.pool,
      backend: configured.name,
      addresses: this.addressesOf(name.backend, name.pool),
      layers: statesOf(configured, overrides, source),
      effective: { ...configuredFields({ weight, maxConnections }), state },
      overrides: Object.values(overrides),
    };
  }

  /** The addresses that a backend's name stands for, in one pool or in any. Throws an UnknownName. */
  addressesOf(backend: string, pool?: string): readonly string[] {
    const pools = pool === undefined ? this.#pools : [this.#configuredPool(pool)];
    const all = pools.flatMap(({ backends }) => backends);
    const meant = all.filter((one) => namesOf(one).includes(backend));
    if (meant.length === 0) throw new UnknownName('backend', backend, all.flatMap(namesOf));
    return [...new Set(meant.map(({ name }) => name))];
  }

  /** What a backend says of itself; what it does not say stays. Returns whether that is new. */
  sourceSays({ pool, backend }: BackendName, wish: SourceWish): boolean {
    const key = `${pool} ${backend}`;
    const before = this.#sources.get(key) ?? {};
    const after = { ...before, ...wish };
    this.#sources.set(key, after);
    return !isDeepStrictEqual(before, after);
  }

  /** What it has said does not hold any more. */
  forgetSource({ pool, backend }: BackendName): void {
    this.#sources.delete(`${pool} ${backend}`);
  }

  /** Throws an UnknownName. */
  pool(name: string): AdministeredPool {
    const { name: pool } = this.#configuredPool(name);
    const override = this.#overrides.ofPool(pool);
    return { pool, hold: this.holdOf(pool), overrides: override === undefined ? [] : [override] };
  }

  /** How a pool is held or released; undefined where it is neither. */
  holdOf(pool: string): HoldState | undefined {
    const override = this.#overrides.ofPool(pool);
    if (override === undefined || override.value === 'off') {
      const release = this.#releases.of(pool);
      return release && { phase: 'releasing', ...release };
    }
    const { value, sinceMs, untilMs, by, reason } = override;
    const ratePerSecond = Number.POSITIVE_INFINITY;
    return { phase: 'held', ...value, sinceMs, untilMs, by, reason, ratePerSecond };
  }

  /** Throws an UnknownName. */
  listener(listener: string): AdministeredListener {
    if (!this.#listeners.includes(listener)) throw new UnknownName('listener', listener, this.#listeners);
    const override = this.#overrides.ofListener(listener);
    return { listener, accept: this.acceptOf(listener), overrides: override === undefined ? [] : [override] };
  }

  /** Whether a listener is to accept clients. */
  acceptOf(listener: string): Accept {
    return this.#overrides.ofListener(listener)?.value ?? 'on';
  }

  /** The change holds from the next plan on. Throws an UnknownName or a StaleRevision. */
  patch(name: BackendName, patch: BackendPatch, mark: Mark, revision?: string): void {
    const configured = this.#configured(name);
    if (revision !== undefined && revision !== revisionOf(this.backend(name))) throw new StaleRevision();
    this.#overrides = this.#overrides.patched(name, patch, configuredFields(configured), mark);
  }

  /** As `patch`. A pool that is released already may go on at another rate. */
  patchPool(name: string, { hold, releasePerSecond }: PoolPatch, mark: Mark, revision?: string): void {
    const administered = this.pool(name);
    if (revision !== undefined && revision !== revisionOf(administered)) throw new StaleRevision();
    const { pool, hold: before } = administered;
    if (hold !== undefined && hold !== null) {
      this.#overrides = this.#overrides.patched({ pool }, { hold }, notHeld, mark);
      this.#releases.end(pool);
    } else if (before !== undefined) {
      this.#overrides = this.#overrides.without({ pool });
      const { then, sessions, timeoutMs } = before;
      const ratePerSecond = releasePerSecond ?? Number.POSITIVE_INFINITY;
      this.#releases.begin(pool, { then, sessions, timeoutMs }, mark, { ratePerSecond, nowMs: mark.sinceMs });
    }
  }

  /** As `patch`. */
  patchListener(listener: string, accept: Accept | null, mark: Mark, revision?: string): void {
    const administered = this.listener(listener);
    if (revision !== undefined && revision !== revisionOf(administered)) throw new StaleRevision();
    const patch = { accept: accept === 'on' ? null : accept };
    this.#overrides = this.#overrides.patched({ listener }, patch, accepting, mark);
  }

  /** Goes back to the configuration for one backend, or for everything. Throws an UnknownName. */
  reset(name: BackendName | undefined, mark: Mark): void {
    if (name !== undefined) {
      const isKept = this.overrides.some((one) => one.pool === name.pool && one.backend === name.backend);
      if (!isKept) this.#configured(name);
      this.#overrides = this.#overrides.without(name);
      return;
    }
    for (const { name: pool } of this.#pools)
      if (this.#overrides.ofPool(pool) !== undefined) this.patchPool(pool, { hold: null }, mark);
    this.#overrides = Overrides.none;
  }

  /** Takes over what was kept of an earlier process. */
  restore(list: readonly Override[]): void {
    this.#overrides = new Overrides(list);
  }

  /**
   * Ends the overrides whose time is over, and gives them. Who waits in a pool goes, unless its hold ends otherwise.
   */
  expire(nowMs: number): readonly Override[] {
    const { overrides, dropped } = this.#overrides.expired(nowMs);
    this.#overrides = overrides;
    for (const one of dropped) {
      if (one.field !== 'hold' || one.value === 'off' || one.value.then === 'refuse') continue;
      this.#releases.begin(one.pool, one.value, one, { ratePerSecond: Number.POSITIVE_INFINITY, nowMs });
    }
    return dropped;
  }

  /** Listeners that are not to accept clients. */
  get notAccepting(): ReadonlyMap<string, ListenerOverride> {
    return new Map(
      this.overrides.flatMap((one) => (one.field === 'accept' ? [[one.listener, one] as const] : [])),
    );
  }

  /** Pools whose release is over: nobody waits in them any more, or it has lasted long enough. */
  released(isWaitedIn: (pool: string) => boolean, nowMs: number): readonly string[] {
    return this.#releases.pools.filter(
      (pool) => nowMs >= (this.#releases.of(pool)?.untilMs ?? 0) || !isWaitedIn(pool),
    );
  }

  endReleases(pools: readonly string[]): void {
    for (const pool of pools) this.#releases.end(pool);
  }

  #configured({ pool, backend }: BackendName): ExpandedBackend {
    const { backends } = this.#configuredPool(pool);
    const found = backends.find((one) => namesOf(one).includes(backend));
    if (found === undefined) throw new UnknownName('backend', backend, backends.flatMap(namesOf));
    return found;
  }

  #configuredPool(name: string): ExpandedPool {
    const pool = this.#pools.find((one) => one.name === name);
    if (pool !== undefined) return pool;
    const names = this.#pools.map((one) => one.name);
    throw new UnknownName('pool', name, names);
  }
}

const notHeld: PoolFields = { hold: 'off' };
const accepting: ListenerFields = { accept: 'on' };

/** What the plan says of a pool that an operator holds. */
function heldBy(overrides: Overrides, pool: string): PoolHold | undefined {
  const hold = overrides.ofPool(pool)?.value;
  if (hold === undefined || hold === 'off') return undefined;
  return { phase: 'held', timeoutMs: hold.timeoutMs, ratePerSecond: Number.POSITIVE_INFINITY };
}

/** Those that a backend goes by: as status shows it, and as the configuration has it. */
function namesOf({ name, configuredAs }: ExpandedBackend): readonly string[] {
  return name === configuredAs ? [name] : [name, configuredAs];
}
