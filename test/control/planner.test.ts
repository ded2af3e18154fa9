import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { expand, Planner } from '../../src/control/planner.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';

const capacity = { workers: 1, listeners: 2, pools: 2, backends: 2, splits: 1, clients: 16 };

describe('Planner', () => {
  it.each([
    ['listeners', { a: 'p', c: 'p', d: 'p' }, { p: [1] }],
    ['pools', { a: 'p', c: 'p' }, { p: [1], q: [2], r: [1] }],
    ['backends', { a: 'p', c: 'p' }, { p: [1, 2, 3] }],
  ])('leaves all tables as they were where %s have no room', (what, listeners, pools) => {
    const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
    const planner = new Planner(ledger);
    const plan = (config: Config) =>
      planner.plan(
        config,
        expand(config, (target) => (target.kind === 'address' ? [{ address: target.address }] : [])),
      );
    plan(configOf({ a: 'p', b: 'q' }, { p: [1], q: [2] }));
    ledger.countAccepted(1);
    ledger.countClosed(1, 'finished');
    ledger.countBackendConnection(1);
    const only = configOf({ a: 'p' }, { p: [1] });
    plan(only);
    // What `b` had could be given to another name, but is not for the sake of a plan that fails.
    expect(() => plan(configOf(listeners, pools))).toThrow(what);
    expect(ledger.listenerTotals(1).accepted).toBe(1);
    expect(ledger.backendTotals(1).connections).toBe(1);
    const again = plan(configOf({ a: 'p', b: 'q' }, { p: [1], q: [2] }));
    expect(again.listeners.map(({ slot }) => slot)).toEqual([0, 1]);
    expect(again.pools.map(({ slot }) => slot)).toEqual([0, 1]);
  });

  it('makes backups of the ranks behind the first, in their order, and calls a backend by its name without a dot', () => {
    const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
    const config = configOf({ a: 'p' }, { p: [1] });
    const [pool] = config.pools;
    if (pool === undefined) throw new Error('Expected a pool');
    const spread = (backup: boolean) => {
      const target = { kind: 'name', name: 'db.test.', port: 1 } as const;
      const backend = { target, weight: 1, backup, maxConnections: 1 };
      const named = { ...config, pools: [{ ...pool, backends: [backend] }] };
      const endpoints = [0, 1].map((rank) => ({ address: { host: `10.0.0.${rank}`, port: 1 }, rank }));
      const { pools } = new Planner(ledger).plan(
        named,
        expand(named, () => endpoints),
      );
      return pools[0]?.backends.map(({ hostName, backup, backupRank }) => [hostName, backup, backupRank]);
    };
    expect(spread(false)).toEqual([
      ['db.test', false, 0],
      ['db.test', true, 0],
    ]);
    expect(spread(true)).toEqual([
      ['db.test', true, 0],
      ['db.test', true, 1],
    ]);
  });
});

/** Listeners with their pools, and pools with the last digits of their backends' ports. */
function configOf(
  listeners: Readonly<Record<string, string>>,
  pools: Readonly<Record<string, readonly number[]>>,
): Config {
  const text = JSON.stringify({
    version: 1,
    listeners: Object.fromEntries(
      Object.entries(listeners).map(([name, pool]) => [name, { bind: '127.0.0.1:0', pool }]),
    ),
    pools: Object.fromEntries(
      Object.entries(pools).map(([name, ports]) => [
        name,
        { backends: ports.map((port) => `127.0.0.1:900${port}`) },
      ]),
    ),
  });
  const loaded = parseConfig(text, { file: 'test', env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  return loaded.config;
}
