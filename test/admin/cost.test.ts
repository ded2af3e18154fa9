/** What the admin API costs the main thread, in looks at the plan: four times the plan may cost about four times. */
import { expect, test } from 'vitest';
import { statusOf } from '../../src/admin/api/status.ts';
import { defaultListenerPolicy } from '../../src/config/options/listener.ts';
import { defaultPoolPolicy } from '../../src/config/options/pool.ts';
import { driverOf } from '../../src/control/workers/group-plan.ts';
import { balancers } from '../../src/core/balancers/table.ts';
import type { BackendExplanation } from '../../src/core/explain/explanation.ts';
import { Ledger, type LedgerCapacity } from '../../src/core/ledger/ledger.ts';
import type { Plan, PoolPlan, RouteCondition } from '../../src/core/plan.ts';
import { driverModules } from '../../src/drivers/drivers.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { Observations } from '../../src/telemetry/observations.ts';
import { FakeSource } from '../telemetry/fake-source.ts';

const capacity: LedgerCapacity = {
  workers: 1,
  listeners: 1_024,
  pools: 1_024,
  backends: 4_096,
  splits: 4,
  clients: 16,
};

class Source extends FakeSource {
  override readonly ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');

  override driverOf(listener: Plan['listeners'][number]): string {
    return driverOf(listener, this.plan, driverModules.uring).name;
  }
}

/** One pool of n backends, n pools of one, and n listeners with a route to each of two of these. */
function planOf(n: number): Plan {
  const backend = (slot: number): PoolPlan['backends'][number] => ({
    slot,
    name: `10.0.0.1:${slot}`,
    address: { host: '10.0.0.1', port: slot },
    hostName: undefined,
    state: 'ready',
    weight: 1,
    backup: false,
    maxConnections: 10,
  });
  const pool = (slot: number, backends: PoolPlan['backends']): PoolPlan => ({
    slot,
    name: `pool-${slot}`,
    policy: { ...defaultPoolPolicy, balance: 'least-connections' },
    backends,
  });
  const counts = Array.from({ length: n }, (_, index) => index);
  return {
    listeners: counts.map((slot) => ({
      slot,
      name: `listener-${slot}`,
      pool: 0,
      routes: slot === 0 ? counts.map((to) => ({ when: askingFor('a.example'), to })) : [],
      policy: defaultListenerPolicy,
    })),
    pools: [pool(0, counts.map(backend)), ...counts.slice(1).map((slot) => pool(slot, [backend(n + slot)]))],
  };
}

function askingFor(name: string): RouteCondition {
  return { sni: [name], alpn: undefined, protocol: undefined, httpHost: undefined, client: undefined };
}

/** The same value; each look at a part of it is counted. */
function watched<T>(value: T, look: () => void, seen = new Map<object, unknown>()): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const known = seen.get(value);
  if (known !== undefined) return known as T; // The proxy of this very value.
  const proxy = new Proxy(value, {
    get(target, key) {
      look();
      return watched(Reflect.get(target, key), look, seen);
    },
  });
  seen.set(value, proxy);
  return proxy;
}

async function looks(n: number, act: (source: Source) => unknown): Promise<number> {
  let count = 0;
  const source = new Source();
  // A copy, since a proxy may not stand in for the parts of what is frozen.
  source.plan = watched(structuredClone(planOf(n)), () => count++);
  await act(source);
  return count;
}

test.each<readonly [string, (source: Source) => unknown]>([
  ['status', (source) => statusOf(source, source.snapshot())],
  ['metrics', (source) => new Metrics(source).text()],
  [
    'explain, where routes are looked at',
    (source) => source.explain({ listener: 'listener-0', client: { address: '10.0.0.9', port: 1 } }),
  ],
  [
    'explain, where a backend is chosen',
    (source) => source.explain({ listener: 'listener-1', client: { address: '10.0.0.9', port: 1 } }),
  ],
  [
    'the first health check of every backend',
    ({ plan }) => {
      const seen = new Observations(0);
      const check = { atMs: 0, tookMs: 1, pass: true, detail: '' };
      for (const { name } of plan.pools[0]?.backends ?? []) seen.checked('pool-0', name, check, plan);
    },
  ],
])('%s costs in proportion to the plan', async (_, act) => {
  const few = await looks(64, act);
  const many = await looks(256, act);
  expect(few).toBeGreaterThan(64);
  expect(many / few).toBeLessThan(6);
});

test('the equals of least-connections are found in proportion to the backends', () => {
  const found = (n: number): number => {
    let count = 0;
    const candidate = { address: 'a', weight: 1, rampPercent: 100, active: 0 } as BackendExplanation;
    const candidates = Array.from({ length: n }, () => watched({ ...candidate }, () => count++));
    expect(balancers['least-connections'].possible(candidates, 'a').possible).toHaveLength(n);
    return count;
  };
  expect(found(256) / found(64)).toBeLessThan(6);
});
