/** Operators name a backend as the configuration writes it: that stands for each of its addresses, everywhere. */
import type { Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { ending, named, nextText } from '../support/backends.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';
import { ran } from '../support/ran.ts';
import { openScene } from './scene.ts';

const dns = await startDnsServer();
afterAll(() => dns.close());
const scene = openScene({ workers: 2 });
let stages = 0;

/** A pool whose only backend is a name of two addresses, and two clients that each serves. */
async function stage(isService = false) {
  const host = `both-${++stages}.test`;
  const one = await scene.backend(named('1'));
  const { port } = one;
  const two = await scene.backend(named('2'), { host: '127.0.0.2', port });
  dns.zone.set(host, [address('127.0.0.1'), address('127.0.0.2')]);
  const srv = { type: 'SRV', priority: 1, weight: 1, port, target: host } as const;
  dns.zone.set(`_app._tcp.${host}`, [srv]);
  const name = isService ? `srv:_app._tcp.${host}` : `${host}:${port}`;
  const more = { resolver: { servers: [dns.address] } };
  const proxy = await scene.proxy({
    backends: [name],
    pool: { healthCheck: { type: 'tcp', interval: '200ms' } },
    more,
  });
  const clients = [scene.client(proxy.port), scene.client(proxy.port)];
  const names = await Promise.all(clients.map((client) => nextText(client)));
  expect(names.sort()).toEqual(['1', '2']);
  scene.afterwards(() => scene.sluice.api('DELETE overrides'));
  const addresses = [`127.0.0.1:${port}`, `127.0.0.2:${port}`] as const;
  return { proxy, name, clients, addresses, encoded: encodeURIComponent(name), one, two };
}

function address(host: string) {
  return { type: 'A', address: host, ttl: 300 } as const;
}

async function areReset(clients: readonly Socket[]): Promise<void> {
  const ends = await Promise.all(clients.map((client) => ending(client)));
  expect(ends.map(({ reset }) => reset)).toEqual([true, true]);
}

describe('The name of a backend', () => {
  it('is one whose sessions are closed at each of its addresses by a change', async () => {
    const { proxy, clients, addresses, encoded } = await stage();
    const path = `pools/${proxy.pool}/backends/${encoded}`;
    const { code, body } = await scene.sluice.api(`PATCH ${path}`, { state: 'drain', sessions: 'close' });
    expect([code, body.addresses]).toEqual([200, addresses]);
    await areReset(clients);
    expect((await proxy.backends()).map(({ unavailable }) => unavailable)).toEqual(['drained', 'drained']);
  });

  it.each([
    ['a name', false],
    ['a service', true],
  ])('is one whose sessions `drain --close-over --wait` ends at each: of %s', async (_, isService) => {
    const { proxy, name, clients, addresses, one, two } = await stage(isService);
    const ends = areReset(clients);
    const at = ['--admin', String(scene.sluice.adminPort)];
    const text = (state: string): string =>
      addresses.map((each) => `${proxy.pool} ${each}: ${state}, weight 1, 0 sessions\n`).join('');
    const drained = await ran(['drain', proxy.pool, name, '--close-over', '300ms', '--wait', ...at]);
    expect(drained).toMatchObject({ exit: 0, stdout: text('drain') });
    await ends;
    await eventually(() => expect([one.open.size, two.open.size]).toEqual([0, 0]));
    // What is wanted of one address alone is undone with the name.
    await ran(['maint', proxy.pool, addresses[1], ...at]);
    const ready = await ran(['ready', proxy.pool, name, '--wait', ...at]);
    expect(ready).toMatchObject({ exit: 0, stdout: text('ready') });
    expect((await scene.sluice.api('GET overrides')).body).toEqual({ overrides: [] });
  });

  it('is waited for until each of its addresses is idle, or up', async () => {
    const { proxy, clients, addresses, encoded, one } = await stage();
    const wait = `wait?pool=${proxy.pool}&backend=${encoded}`;
    expect((await scene.sluice.api(`GET ${wait}&until=up&timeout=5s`)).code).toBe(200);
    for (const client of clients) client.resume();
    for (const socket of one.open) socket.resetAndDestroy();
    await eventually(async () => expect((await proxy.backend()).active).toBe(0));
    const { code, body } = await scene.sluice.api(`GET ${wait}&until=idle&timeout=100ms`);
    expect([code, body.address, body.active]).toEqual([408, addresses[1], 1]);
    const idle = scene.sluice.api(`GET ${wait}&until=idle&timeout=20s`);
    for (const client of clients) client.destroy();
    expect((await idle).code).toBe(200);
  });

  it('lists and closes the sessions of each of its addresses, with its pool or without', async () => {
    const { proxy, name, clients, encoded } = await stage();
    const listed = async (query: string): Promise<number> =>
      (await scene.sluice.api(`GET sessions?${query}`)).body.sessions.length;
    expect(await listed(`backend=${encoded}`)).toBe(2);
    expect(await listed(`backend=${encoded}&pool=${proxy.pool}`)).toBe(2);
    const near = await scene.sluice.api(`GET sessions?backend=${encoded}0`);
    expect([near.code, near.body.error]).toEqual([404, expect.stringContaining(`did you mean "${name}"?`)]);
    const closed = await scene.sluice.api('POST sessions/close', { filter: { backend: name } });
    expect(closed).toEqual({ code: 202, body: { matched: 2 } });
    await areReset(clients);
    const none = await scene.sluice.api('POST sessions/close', { filter: { backend: `${name}0` } });
    expect(none.code).toBe(404);
  });

  it('has its breaker opened and closed at each of its addresses', async () => {
    const { proxy, encoded } = await stage();
    const path = `pools/${proxy.pool}/backends/${encoded}/circuit`;
    for (const to of ['open', 'closed']) {
      expect((await scene.sluice.api(`POST ${path}`, { to })).code).toBe(200);
      expect((await proxy.backends()).map(({ circuit }) => circuit)).toEqual([to, to]);
    }
  });

  it('gets another weight at each of its addresses from the command', async () => {
    const { proxy, name, addresses } = await stage();
    const at = ['--admin', String(scene.sluice.adminPort)];
    const { exit, stdout } = await ran(['weight', proxy.pool, name, '3', ...at]);
    const lines = addresses.map((each) => `${proxy.pool} ${each}: ready, weight 3, 1 session\n`);
    expect([exit, stdout]).toEqual([0, lines.join('')]);
  });
});
