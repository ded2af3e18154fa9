import { describe, expect, it } from 'vitest';
import { connected, ending, named, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import type { LogLine } from '../support/sluice.ts';
import { openBlackHole } from './black-hole.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene();

describe('an open breaker', () => {
  it('lets no dial through and refuses the clients of a sole backend at once', async () => {
    const proxy = await withOpenBreaker({ openFor: '1m' });
    const revived = await scene.backend(named('alive'), portOf(proxy));
    for (let visit = 0; visit < 10; visit++) {
      expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: true });
    }
    expect(revived.total).toBe(0);
    expect(await proxy.ended(13)).toEqual({ 'connect-refused': 3, 'no-backend': 10 });
    expect(await proxy.backend()).toMatchObject({ circuit: 'open', unavailable: 'circuit-open' });
  });

  it('says once that it has opened, and why, and that it has closed', async () => {
    const proxy = await withOpenBreaker({ openFor: '100ms' });
    const backend = addressOf(proxy);
    await scene.backend(named('alive'), portOf(proxy));
    await eventually(async () => expect((await proxy.backend()).unavailable).toBeNull());
    expect(await textOf(scene.client(proxy.port), 5)).toBe('alive');
    const isOfIt = (line: LogLine): boolean => line['backend'] === backend && line.msg !== 'session closed';
    await proxy.sluice.logged((line) => isOfIt(line) && line.msg === 'circuit closed');
    const { lines } = proxy.sluice;
    expect(lines.filter((line) => isOfIt(line) && line.msg === 'circuit opened')).toMatchObject([
      { level: 'warn', pool: proxy.pool, failures: 3, lastError: 'ECONNREFUSED', openForMs: 100 },
    ]);
    expect(lines.filter((line) => isOfIt(line) && line.msg === 'circuit closed')).toHaveLength(1);
    await proxy.sluice.logged((line) => isOfIt(line) && line.msg === 'pool has one again');
    expect(lines.filter((line) => isOfIt(line) && line.msg === 'pool has no backend left')).toMatchObject([
      { level: 'warn', pool: proxy.pool, why: '1 circuit-open', detail: 'ECONNREFUSED' },
    ]);
  });

  it('leaves the clients to the other backends', async () => {
    const dead = await scene.deadBackend();
    const live = await scene.backend(named('live'));
    const proxy = await scene.proxy({
      backends: [dead, live.address],
      pool: { circuitBreaker: { consecutiveFailures: 2, openFor: '1m' } },
    });
    for (let visit = 0; visit < 10; visit++) {
      const client = await connected(proxy.port);
      expect(await textOf(client, 4)).toBe('live');
      client.end();
      await ending(client);
    }
    await proxy.ended(10);
    expect(
      await proxy.sluice.metric(
        `sluice_backend_connect_failures_total${labels(proxy, dead, 'reason="connect-refused"')}`,
      ),
    ).toBe(2);
  });

  it('half-opens for exactly halfOpenTrials of 50 that come, and opens again when they fail', async () => {
    const proxy = await withOpenBreaker({ openFor: '100ms', halfOpenTrials: 2 }, '500ms');
    const hole = await openBlackHole(portOf(proxy).port);
    scene.afterwards(() => hole.close());
    await eventually(async () => expect((await proxy.backend()).unavailable).toBeNull());
    const ends = Array.from({ length: 50 }, () => ending(scene.client(proxy.port)));
    await eventually(async () =>
      expect(await proxy.backend()).toMatchObject({ circuit: 'half-open', active: 2 }),
    );
    await Promise.all(ends);
    expect(await proxy.ended(53)).toEqual({ 'connect-refused': 3, 'connect-timeout': 2, 'no-backend': 48 });
    expect((await proxy.backend()).circuit).toBe('open');
    const opened = `sluice_backend_circuit_opened_total${labels(proxy, hole.address)}`;
    expect(await proxy.sluice.metric(opened)).toBe(2);
  });

  it('closes after a trial that succeeds', async () => {
    const proxy = await withOpenBreaker({ openFor: '100ms' });
    await scene.backend(named('alive'), portOf(proxy));
    await eventually(async () => expect((await proxy.backend()).unavailable).toBeNull());
    for (let visit = 0; visit < 3; visit++) {
      const client = scene.client(proxy.port);
      expect(await textOf(client, 5)).toBe('alive');
      expect((await proxy.backend()).circuit).toBe('closed');
    }
    const state = `sluice_backend_circuit_state${labels(proxy, addressOf(proxy), 'state="closed"')}`;
    expect(await proxy.sluice.metric(state)).toBe(1);
  });
});

const addresses = new WeakMap<Proxied, string>();

/** A pool whose only backend has refused three clients in a row. */
async function withOpenBreaker(circuitBreaker: object, timeout = '2s'): Promise<Proxied> {
  const dead = await scene.deadBackend();
  const proxy = await scene.proxy({
    backends: [dead],
    pool: {
      connect: { retries: 0, timeout },
      circuitBreaker: { consecutiveFailures: 3, ...circuitBreaker },
    },
  });
  addresses.set(proxy, dead);
  for (let visit = 0; visit < 3; visit++) await ending(scene.client(proxy.port));
  expect((await proxy.backend()).circuit).toBe('open');
  return proxy;
}

function addressOf(proxy: Proxied): string {
  return addresses.get(proxy) ?? '';
}

function portOf(proxy: Proxied): { readonly host: string; readonly port: number } {
  return { host: '127.0.0.1', port: Number(addressOf(proxy).split(':')[1]) };
}

function labels({ pool }: Proxied, backend: string, more = ''): string {
  return `{pool="${pool}",backend="${backend}"${more === '' ? '' : `,${more}`}}`;
}
