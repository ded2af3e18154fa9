/** Open sessions as the admin API lists and ends them: in each stage, on several workers. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ending, named, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 2 });

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly client: string;
}

async function listed(query = ''): Promise<readonly Listed[]> {
  const { code, body } = await scene.sluice.api(`GET sessions${query}`);
  expect(code, JSON.stringify(body)).toBe(200);
  return body.sessions;
}

function close(body: object) {
  return scene.sluice.api('POST sessions/close', body);
}

async function served(proxy: Proxied, count: number): Promise<readonly Socket[]> {
  const clients = Array.from({ length: count }, () => scene.client(proxy.port));
  for (const client of clients) expect(await nextText(client)).toBe('ok');
  return clients;
}

describe('A list of sessions', () => {
  it('has each that is open, with what is known of it', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({ backends: [backend.address] });
    const clients = await served(proxy, 12);
    clients[0]?.write('four');
    await eventually(async () => expect(await listed('?minBytes=6')).toHaveLength(1));
    const all = await listed();
    expect(all).toHaveLength(12);
    expect(new Set(all.map(({ id }) => id)).size).toBe(12);
    const ports = clients.map(({ localPort }) => `127.0.0.1:${localPort}`);
    expect(all.map(({ client }) => client).sort()).toEqual(ports.sort());
    expect(all[0]).toMatchObject({
      ...{ state: 'relaying', listener: proxy.listener, pool: proxy.pool, backend: backend.address },
      ...{ bytesToClient: 2, attempts: 1, ageMs: expect.any(Number), connectMs: expect.any(Number) },
    });
    expect(await listed(`?backend=${backend.address}&client=127.0.0.0/8&state=relaying`)).toHaveLength(12);
    for (const none of ['client=10.0.0.0/8', 'state=queued', 'olderThan=1h', 'idleFor=1h']) {
      expect(await listed(`?${none}`)).toEqual([]);
    }
    for (const unknown of ['backend=x', 'pool=x', 'listener=x'])
      expect((await scene.sluice.api(`GET sessions?${unknown}`)).code).toBe(404);
    expect(await listed('?limit=5&sort=age')).toHaveLength(5);
    for (const client of clients) client.destroy();
  });

  it('shows who waits, is dialing, or has said nothing yet', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [{ address: backend.address, maxConnections: 1 }],
      pool: { limits: { queue: { size: 5, timeout: '1m' } } },
    });
    const [first] = await served(proxy, 1);
    const waiting = scene.client(proxy.port);
    await eventually(async () => expect(await listed('?state=queued')).toHaveLength(1));
    const [{ id } = { id: '' }] = await listed('?state=queued');
    const ended = ending(waiting);
    expect((await scene.sluice.api(`DELETE sessions/${id}`)).code).toBe(204);
    expect((await ended).reset).toBe(true);
    expect((await scene.sluice.api(`DELETE sessions/${id}`)).code).toBe(404);
    first?.destroy();
    await eventually(async () => expect(await proxy.reasons()).toMatchObject({ operator: 1 }));
  });

  it('shows a client whose first bytes are awaited, and ends it', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { inspect: { timeout: '1m' }, routes: [{ when: { protocol: 'ssh' }, pool: 'other' }] },
      pools: { other: { backends: [backend.address] } },
    });
    const client = scene.client(proxy.port);
    const ended = ending(client);
    await eventually(async () => expect(await listed('?state=inspecting')).toHaveLength(1));
    expect(await close({ filter: { state: 'inspecting' } })).toEqual({ code: 202, body: { matched: 1 } });
    expect((await ended).reset).toBe(true);
  });
});

describe('An operator', () => {
  it('ends those of a filter, by RST or by FIN, and leaves the others', async () => {
    const [one, two] = [await scene.backend(named('ok')), await scene.backend(named('ok'))];
    const proxy = await scene.proxy({ backends: [one.address, two.address] });
    const clients = await served(proxy, 8);
    const ends = clients.map((client) => ending(client));
    expect((await close({ filter: { backend: one.address }, how: 'fin' })).body).toEqual({ matched: 4 });
    await eventually(() => expect([one.open.size, two.open.size]).toEqual([0, 4]));
    expect((await close({ filter: { backend: two.address } })).body).toEqual({ matched: 4 });
    const resets = (await Promise.all(ends)).map(({ reset }) => reset);
    expect(resets.filter((reset) => reset)).toHaveLength(4);
    await eventually(async () => expect(await proxy.reasons()).toEqual({ operator: 8 }));
    const lines = scene.sluice.sessions.filter(({ listener }) => listener === proxy.listener);
    expect(lines.every(({ reason, endedBy }) => reason === 'operator' && endedBy === 'proxy')).toBe(true);
  });

  it('drains a backend and closes what is open on it, over a time', async () => {
    const [one, two] = [await scene.backend(named('ok')), await scene.backend(named('ok'))];
    const proxy = await scene.proxy({ backends: [one.address, two.address] });
    const clients = await served(proxy, 8);
    for (const client of clients) client.resume();
    const backend = `pools/${proxy.pool}/backends/${one.address}`;
    const drain = { state: 'drain', sessions: { over: '300ms' } };
    expect((await scene.sluice.api(`PATCH ${backend}`, drain)).code).toBe(200);
    const wait = `wait?pool=${proxy.pool}&backend=${one.address}&until=idle`;
    expect((await scene.sluice.api(`GET ${wait}`)).code).toBe(200);
    // The proxy has closed them; the backend hears of the last ones a moment later.
    await eventually(() => expect([one.open.size, two.open.size]).toEqual([0, 4]));
    for (const client of clients) client.destroy();
  });

  it.each([
    [{}, 'filter'],
    [{ filter: { color: 1 } }, 'filter.color'],
    [{ filter: { client: '10.0.0.1/8' } }, 'filter.client'],
    [{ filter: {}, how: 'softly' }, 'how'],
  ])('is told what is wrong with %j', async (body, path) => {
    const backend = await scene.backend(named('ok'));
    await scene.proxy({ backends: [backend.address] });
    expect(await close(body)).toMatchObject({ code: 422, body: { errors: [{ path }] } });
  });
});
