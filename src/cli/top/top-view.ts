/** What `top` has to show: a running proxy at one moment, and how fast it counts. */
import type { BackendStatus, PoolStatus, Status } from '../operate/status-text.ts';

/** What happens in a second. */
export interface Rates {
  readonly sessions: number;
  readonly failures: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

export interface TopBackend extends BackendStatus {
  readonly pool: string;
  readonly rates: Rates;
}

export interface TopPool extends Pick<PoolStatus, 'balance' | 'active' | 'queue' | 'hold'> {
  readonly name: string;
  /** Rates over all its backends. */
  readonly rates: Rates;
  readonly backends: readonly TopBackend[];
}

export interface TopView {
  readonly status: Status;
  /** Connections that are open now, over all listeners. */
  readonly active: number;
  readonly pools: readonly TopPool[];
  /** Rates over all pools. */
  readonly rates: Rates;
}

/** A state of the proxy, and when it was so on the proxy's clock, in milliseconds. */
export interface TimedStatus {
  readonly status: Status;
  readonly atMs: number;
}

/** Without an earlier state, nothing is known of how fast it counts: all rates are 0. */
export function topView({ status, atMs }: TimedStatus, before: TimedStatus | undefined): TopView {
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1_000;
  const pools = Object.entries(status.pools).map(([name, pool]): TopPool => {
    const earlier = new Map(before?.status.pools[name]?.backends.map((one) => [one.address, one]));
    const backends = pool.backends.map((one) => ({
      ...one,
      pool: name,
      rates: ratesBetween(earlier.get(one.address), one, seconds),
    }));
    const { balance, active, queue, hold } = pool;
    return { name, balance, active, queue, hold, rates: sumOf(backends), backends };
  });
  const active = Object.values(status.listeners).reduce((sum, one) => sum + one.active, 0);
  return { status, active, pools, rates: sumOf(pools) };
}

const none: Rates = { sessions: 0, failures: 0, bytesToBackend: 0, bytesToClient: 0 };

function ratesBetween(before: BackendStatus | undefined, now: BackendStatus, seconds: number): Rates {
  if (before === undefined || seconds <= 0) return none;
  // A proxy that was restarted counts from 0 again.
  const rate = (count: (of: BackendStatus) => number): number =>
    Math.max(0, count(now) - count(before)) / seconds;
  return {
    sessions: rate(({ total }) => total),
    failures: rate(({ dialFailures }) => dialFailures),
    bytesToBackend: rate(({ bytesToBackend }) => bytesToBackend),
    bytesToClient: rate(({ bytesToClient }) => bytesToClient),
  };
}

function sumOf(parts: readonly { readonly rates: Rates }[]): Rates {
  return parts.reduce(
    (sum, { rates }) => ({
      sessions: sum.sessions + rates.sessions,
      failures: sum.failures + rates.failures,
      bytesToBackend: sum.bytesToBackend + rates.bytesToBackend,
      bytesToClient: sum.bytesToClient + rates.bytesToClient,
    }),
    none,
  );
}
