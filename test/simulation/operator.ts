/**
 * Writes the plans: the first one, and what a reload makes of it. Slots are given out as the control plane
 * does: one for each name, and to another name once nobody holds it and it is cleared.
 */
import { balances } from '../../src/core/balancers/table.ts';
import type {
  BackendPlan,
  CircuitBreakerPolicy,
  ConnectPolicy,
  ListenerPlan,
  Plan,
  PoolPlan,
  PoolPolicy,
} from '../../src/core/plan.ts';
import { poolPolicy } from '../core/harness.ts';
import type { Dice } from './dice.ts';
import { drawListener } from './drawn-listener.ts';

export const slots = { listeners: 3, pools: 3, splits: 3, backendsOfPool: 5, backends: 15 };

const unlimited = Number.POSITIVE_INFINITY;

const longestHoldMs = 600;

const backendTls = { servername: undefined, ca: undefined, verify: true, cert: undefined, key: undefined };

/** Which slots nobody holds any more, and what clears them. */
export interface Reclaim {
  pool(slot: number): boolean;
  backend(slot: number): boolean;
}

export class Operator {
  readonly #dice: Dice;
  #generation = 0;
  #listeners: (ListenerPlan | undefined)[] = [];
  readonly #pools: (PoolPlan | undefined)[] = [];
  readonly #names = new Map<string, string>();
  /** By pool; ends of releases too. */
  readonly #holdEnds = new Map<number, number>();
  /** Of all releases that have one. */
  readonly #ratePerSecond: number;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#ratePerSecond = dice.one([20, 100, 1_000]);
    for (let slot = 0; slot < slots.pools; slot++) this.#pools.push(this.#pool(slot));
    for (let slot = 0; slot < slots.listeners; slot++) this.#listeners.push(this.#listener(slot));
  }

  get plan(): Plan {
    return {
      listeners: this.#listeners.filter((one) => one !== undefined),
      pools: this.#pools.filter((one) => one !== undefined),
    };
  }

  /**
   * An operator at run time: drains, weighs, holds or releases, at once or at a rate. A hold ends by itself. Gives the
   * pools whose waiting clients are refused.
   */
  operate(nowMs: number): readonly number[] {
    const dice = this.#dice;
    const slot = dice.between(0, slots.pools - 1);
    const pool = this.#pools[slot];
    if (pool === undefined) return [];
    if (pool.hold !== undefined && dice.chance(0.5)) return this.#release(pool, nowMs);
    if (dice.chance(0.5)) {
      const timeoutMs = dice.one([30, 120, 400]);
      this.#holdEnds.set(slot, nowMs + dice.between(1, longestHoldMs));
      this.#pools[slot] = { ...pool, hold: { phase: 'held', timeoutMs, ratePerSecond: unlimited } };
    } else if (pool.backends.length > 0) {
      const { slot: backend } = dice.one(pool.backends);
      this.#pools[slot] = {
        ...pool,
        backends: pool.backends.map((one) => (one.slot === backend ? this.#administered(one) : one)),
      };
    }
    return [];
  }

  /** Those whose time is over. Gives as `operate` does, or nothing where none was. */
  endHolds(nowMs: number): readonly number[] | undefined {
    const over = this.#pools.filter(
      (pool) => pool?.hold !== undefined && nowMs >= (this.#holdEnds.get(pool.slot) ?? 0),
    );
    return over.length === 0 ? undefined : over.flatMap((pool) => (pool ? this.#release(pool, nowMs) : []));
  }

  /** Those who wait go, for as long as each may wait, or are refused; then, or at once, nothing is left of the hold. */
  #release(pool: PoolPlan, nowMs: number): readonly number[] {
    const { hold, ...others } = pool;
    const isRefused = this.#dice.chance(0.3);
    if (isRefused || hold?.phase !== 'held' || this.#dice.chance(0.2)) this.#pools[pool.slot] = others;
    else {
      const ratePerSecond = this.#dice.one([unlimited, this.#ratePerSecond]);
      this.#holdEnds.set(pool.slot, nowMs + hold.timeoutMs);
      this.#pools[pool.slot] = { ...pool, hold: { ...hold, phase: 'releasing', ratePerSecond } };
    }
    return isRefused ? [pool.slot] : [];
  }

  #administered(backend: BackendPlan): BackendPlan {
    const { state, weight } = this.#backend(backend.slot);
    return { ...backend, state, weight };
  }

  /** Changes a thing or two, or nothing at all. */
  reload(reclaim: Reclaim): Plan {
    const changes = this.#dice.between(0, 3);
    for (let change = 0; change < changes; change++) this.#change(reclaim);
    this.#mendListeners();
    return this.plan;
  }

  #change(reclaim: Reclaim): void {
    const dice = this.#dice;
    const slot = dice.between(0, slots.pools - 1);
    const pool = this.#pools[slot];
    switch (dice.weighted({ policy: 4, backend: 6, pool: 4, listener: 2, listenerPolicy: 3, same: 1 })) {
      case 'policy':
        if (pool !== undefined) this.#pools[slot] = { ...pool, policy: this.#policy() };
        break;
      case 'backend':
        if (pool !== undefined) this.#pools[slot] = { ...pool, backends: this.#changed(pool, reclaim) };
        break;
      case 'pool':
        if (pool === undefined) this.#pools[slot] = this.#returning(slot, reclaim);
        else if (this.plan.pools.length > 1) this.#pools[slot] = undefined;
        break;
      case 'listener':
        this.#listeners[slot] = this.#listeners[slot] === undefined ? this.#listener(slot) : undefined;
        break;
      case 'listenerPolicy':
        if (this.#listeners[slot] !== undefined) this.#listeners[slot] = this.#listener(slot);
    }
  }

  /** A plan names no pool that it does not have, and has a listener at least. */
  #mendListeners(): void {
    if (this.plan.listeners.length === 0) this.#listeners[0] = this.#listener(0);
    const isThere = (slot: number): boolean => this.#pools[slot] !== undefined;
    this.#listeners = this.#listeners.map(
      (listener) => listener && mended(listener, isThere, () => this.#somePool()),
    );
  }

  #somePool(): number {
    return this.#dice.one(this.#pools.filter((pool) => pool !== undefined)).slot;
  }

  #returning(slot: number, reclaim: Reclaim): PoolPlan {
    if (reclaim.pool(slot)) this.#names.set(`pool ${slot}`, `pool-${slot}-${++this.#generation}`);
    return this.#pool(slot);
  }

  #changed(pool: PoolPlan, reclaim: Reclaim): readonly BackendPlan[] {
    const first = pool.slot * slots.backendsOfPool;
    const slot = first + this.#dice.between(0, slots.backendsOfPool - 1);
    const others = pool.backends.filter((backend) => backend.slot !== slot);
    const isThere = others.length < pool.backends.length;
    if (isThere && this.#dice.chance(0.4)) return others;
    if (!isThere && reclaim.backend(slot)) {
      this.#names.set(`backend ${slot}`, `10.0.${++this.#generation}.1:${9_000 + slot}`);
    }
    return [...others, this.#backend(slot)].toSorted((one, other) => one.slot - other.slot);
  }

  #pool(slot: number): PoolPlan {
    const first = slot * slots.backendsOfPool;
    const all = Array.from({ length: slots.backendsOfPool }, (_, index) => this.#backend(first + index));
    const count = this.#dice.between(1, slots.backendsOfPool);
    return {
      slot,
      name: this.#names.get(`pool ${slot}`) ?? `pool-${slot}`,
      policy: this.#policy(),
      backends: all.slice(0, count),
    };
  }

  #backend(slot: number): BackendPlan {
    const dice = this.#dice;
    const name = this.#names.get(`backend ${slot}`) ?? `10.0.0.1:${9_000 + slot}`;
    return {
      slot,
      name,
      address: { host: name.slice(0, name.indexOf(':')), port: 9_000 + slot },
      hostName: undefined,
      state: dice.one(['ready', 'ready', 'ready', 'ready', 'drain', 'maint']),
      weight: dice.one([0, 1, 1, 1, 2, 5, 0.5]),
      backup: dice.chance(0.2),
      maxConnections: dice.one([unlimited, unlimited, 1, 2, 4]),
    };
  }

  #policy(): PoolPolicy {
    const dice = this.#dice;
    const initialMs = dice.one([0, 5, 20]);
    return {
      balance: dice.one(balances),
      connect: {
        ...poolPolicy.connect,
        timeoutMs: dice.one([20, 60, 200]),
        retries: dice.between(0, 4),
        backoff: { initialMs, maxMs: initialMs * 4 },
        proxyProtocol: this.#proxyProtocol(),
        tls: dice.chance(0.3) ? backendTls : 'off',
      },
      circuitBreaker: dice.chance(0.25) ? 'off' : this.#circuitBreaker(),
      limits: {
        maxConnections: dice.one([unlimited, unlimited, 2, 5, 9]),
        queue: { size: dice.one([0, 1, 3, 8]), timeoutMs: dice.one([30, 120, 400]) },
      },
      slowStartMs: dice.one([0, 300]),
      whenBackendDown: dice.one(['keep', 'close']),
      panicThresholdPercent: dice.one([0, 0, 50, 100]),
    };
  }

  #circuitBreaker(): CircuitBreakerPolicy {
    const openForMs = this.#dice.one([20, 80, 200]);
    return {
      consecutiveFailures: this.#dice.between(1, 4),
      openForMs,
      maxOpenForMs: openForMs * this.#dice.one([1, 4, 10]),
      halfOpenTrials: this.#dice.between(1, 2),
    };
  }

  #listener(slot: number): ListenerPlan {
    return drawListener(this.#dice, slot, () => this.#somePool());
  }

  #proxyProtocol(): ConnectPolicy['proxyProtocol'] {
    const dice = this.#dice;
    const version = dice.one(['off', 'off', 'v1', 'v2', 'v2'] as const);
    if (version === 'off') return version;
    const all = ['sni', 'alpn', 'unique-id', 'crc32c'] as const;
    return { version, include: version === 'v1' ? [] : all.filter(() => dice.chance(0.5)) };
  }
}

/** Where a plan says to go that has a thing or two no more. */
function mended(
  { pool, routes, ...listener }: ListenerPlan,
  isThere: (slot: number) => boolean,
  other: () => number,
) {
  const mend = (slot: number): number => (isThere(slot) ? slot : other());
  return {
    ...listener,
    pool: pool === undefined ? undefined : mend(pool),
    routes: routes.map(({ when, to }) => {
      if (typeof to === 'number') return { when, to: mend(to) };
      const shares = to.shares.map(({ weight, pool: share }) => ({ weight, pool: mend(share) }));
      return { when, to: { ...to, shares } };
    }),
  };
}
