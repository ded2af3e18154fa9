/**
 * The last quarter of an hour of listeners, pools and backends, a point every five seconds, for whoever opens a page
 * and wants to see what was before. It takes at most a megabyte: where there is more to follow, the first ones of the
 * plan are, listeners and pools before backends.
 */
import type { Ledger } from '../core/ledger/ledger.ts';
import type { BackendPlan, ListenerPlan, Plan, PoolPlan } from '../core/plan.ts';
import { dialFailures, reasons, refusals } from '../core/reasons.ts';

export const betweenPointsMs = 5_000;
const mostPoints = 180;
const mostBytes = 1024 * 1024;

/** What a point has: rates are a second's, over the time since the point before. */
const fields = ['active', 'connections', 'failures', 'bytes'] as const;
type Field = (typeof fields)[number];

const mostFollowed = Math.floor(mostBytes / (mostPoints * fields.length * Float32Array.BYTES_PER_ELEMENT));

/** What is open now, and what has been counted since the start. */
type Counts = Readonly<Record<Field, number>>;

/** The values of each field, oldest first. */
export type Series = Readonly<Record<Field, readonly number[]>>;

export interface HistorySource {
  readonly plan: Plan;
  readonly ledger: Ledger;
}

export class History {
  readonly #source: HistorySource;
  #followed = new Map<string, Followed>();
  /** All points so far: that of a number stands at its rest by `mostPoints`. */
  #points = 0;
  #lastMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: HistorySource) {
    this.#source = source;
  }

  /** Adds a point every five seconds until `stop`. */
  start(): void {
    this.#timer ??= setInterval(() => this.add(performance.now()), betweenPointsMs).unref();
  }

  /** Forgets what there was. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#followed.clear();
    this.#lastMs = undefined;
  }

  /** `nowMs` is of a clock that is never set. */
  add(nowMs: number): void {
    const seconds = this.#lastMs === undefined ? undefined : (nowMs - this.#lastMs) / 1_000;
    const kept = new Map<string, Followed>();
    for (const [key, counts] of countsIn(this.#source)) {
      const one = this.#followed.get(key) ?? new Followed(this.#points);
      one.add(this.#points, counts, seconds);
      kept.set(key, one);
      if (kept.size === mostFollowed) break;
    }
    // What has left the plan is forgotten.
    this.#followed = kept;
    this.#lastMs = nowMs;
    this.#points++;
  }

  /** The number of the next point. */
  get next(): number {
    return this.#points;
  }

  /** The points from that number on; undefined for a name that has none. */
  listener(name: string, from: number): Series | undefined {
    return this.#series(keys.listener(name), from);
  }

  pool(name: string, from: number): Series | undefined {
    return this.#series(keys.pool(name), from);
  }

  backend(pool: string, name: string, from: number): Series | undefined {
    return this.#series(keys.backend(pool, name), from);
  }

  #series(key: string, from: number): Series | undefined {
    return this.#followed.get(key)?.series(Math.max(from, this.#points - mostPoints), this.#points);
  }
}

/** One listener, pool or backend. */
class Followed {
  readonly #first: number;
  readonly #values = new Float32Array(mostPoints * fields.length);
  #before: Counts | undefined;

  constructor(first: number) {
    this.#first = first;
  }

  /** Without a time there is no rate yet, nor where a count is lower than it was: then it is of something else. */
  add(point: number, counts: Counts, seconds: number | undefined): void {
    const at = (point % mostPoints) * fields.length;
    for (const [index, field] of fields.entries()) {
      const grown = counts[field] - (this.#before?.[field] ?? Number.POSITIVE_INFINITY);
      const rate = seconds === undefined ? 0 : Math.max(0, grown) / seconds;
      this.#values[at + index] = field === 'active' ? counts.active : rate;
    }
    this.#before = counts;
  }

  series(from: number, to: number): Series {
    const begin = Math.max(from, this.#first);
    const valuesOf = (index: number): readonly number[] =>
      Array.from({ length: Math.max(0, to - begin) }, (_, step) =>
        rounded(this.#values[((begin + step) % mostPoints) * fields.length + index] ?? 0),
      );
    const [active, connections, failures, bytes] = [0, 1, 2, 3].map(valuesOf);
    return {
      active: active ?? [],
      connections: connections ?? [],
      failures: failures ?? [],
      bytes: bytes ?? [],
    };
  }
}

/** Two digits behind the point are enough for eyes. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

const keys = {
  listener: (name: string): string => JSON.stringify([name]),
  pool: (name: string): string => JSON.stringify(['', name]),
  backend: (pool: string, name: string): string => JSON.stringify(['', pool, name]),
};

function* countsIn({ plan, ledger }: HistorySource): Generator<[key: string, counts: Counts]> {
  for (const listener of plan.listeners) yield [keys.listener(listener.name), ofListener(ledger, listener)];
  for (const pool of plan.pools) yield [keys.pool(pool.name), ofPool(ledger, pool)];
  for (const pool of plan.pools) {
    for (const one of pool.backends) yield [keys.backend(pool.name, one.name), ofBackend(ledger, one)];
  }
}

function ofListener(ledger: Ledger, { slot }: ListenerPlan): Counts {
  const { accepted, closed, bytesToBackend, bytesToClient } = ledger.listenerTotals(slot);
  const ended = reasons.reduce((sum, reason) => sum + closed(reason), 0);
  const failures = refusals.reduce((sum, reason) => sum + closed(reason), 0);
  return {
    active: Math.max(0, accepted - ended),
    connections: accepted,
    failures,
    bytes: bytesToBackend + bytesToClient,
  };
}

function ofPool(ledger: Ledger, { slot, backends }: PoolPlan): Counts {
  const counts = backends.map((one) => ofBackend(ledger, one));
  const sum = (field: Field): number => counts.reduce((total, one) => total + one[field], 0);
  return {
    active: ledger.poolActive.total(slot),
    connections: sum('connections'),
    failures: sum('failures'),
    bytes: sum('bytes'),
  };
}

function ofBackend(ledger: Ledger, { slot }: BackendPlan): Counts {
  const totals = ledger.backendTotals(slot);
  return {
    active: ledger.backendActive.total(slot),
    connections: totals.connections,
    failures: dialFailures.reduce((sum, why) => sum + totals.dialFailures(why), 0),
    bytes: totals.bytesToBackend + totals.bytesToClient,
  };
}
