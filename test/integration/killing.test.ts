/** An operator ends a session in each stage that it can be in: by its id, and by a filter. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { arrival, named, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { sluiceOfTest } from '../support/of-test.ts';
import { openBlackHole } from './black-hole.ts';
import { certificateFiles } from './certificate-files.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 2 });
const certificate = certificateFiles('localhost');

interface Victim {
  readonly proxy: Proxied;
  readonly client: Socket;
  /** How many others there are, which stay. */
  readonly others?: number;
}

/** Each gives a client whose session stays where it is until somebody does something. */
const stages: readonly (readonly [what: string, state: string, begin: () => Promise<Victim>])[] = [
  [
    'that waits in a queue',
    'queued',
    async () => {
      const backend = await scene.backend(named('ok'));
      const proxy = await scene.proxy({
        backends: [{ address: backend.address, maxConnections: 1 }],
        pool: { limits: { queue: { size: 5, timeout: '1m' } } },
      });
      expect(await nextText(scene.client(proxy.port))).toBe('ok');
      return { proxy, client: scene.client(proxy.port), others: 1 };
    },
  ],
  [
    'that is held',
    'held',
    async () => {
      const backend = await scene.backend(named('ok'));
      const proxy = await scene.proxy({ backends: [backend.address] });
      await scene.sluice.api(`PATCH pools/${proxy.pool}`, { hold: { for: '5m', timeout: '5m' } });
      scene.afterwards(() => scene.sluice.api('DELETE overrides'));
      return { proxy, client: scene.client(proxy.port) };
    },
  ],
  [
    'whose first bytes are awaited',
    'inspecting',
    async () => {
      const backend = await scene.backend(named('ok'));
      const proxy = await scene.proxy({
        backends: [backend.address],
        listener: { inspect: { timeout: '1m' }, routes: [{ when: { protocol: 'ssh' }, pool: 'other' }] },
        pools: { other: { backends: [backend.address] } },
      });
      return { proxy, client: scene.client(proxy.port) };
    },
  ],
  [
    'in the middle of its PROXY header',
    'inspecting',
    async () => {
      const backend = await scene.backend(named('ok'));
      const proxyProtocol = { mode: 'required', from: ['127.0.0.0/8'], timeout: '1m' };
      const proxy = await scene.proxy({ backends: [backend.address], listener: { proxyProtocol } });
      const client = scene.client(proxy.port);
      client.write('PROXY TCP4 ');
      return { proxy, client };
    },
  ],
  [
    'in the middle of its TLS handshake',
    'inspecting',
    async () => {
      const backend = await scene.backend(named('ok'));
      const tls = { certificates: [certificate], handshakeTimeout: '1m' };
      const proxy = await scene.proxy({ backends: [backend.address], listener: { tls } });
      const client = scene.client(proxy.port);
      client.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
      return { proxy, client };
    },
  ],
  [
    'whose backend does not answer the dial',
    'dialing',
    async () => {
      const hole = await openBlackHole();
      scene.afterwards(() => hole.close());
      const connect = { timeout: '1m', retries: 0 };
      const proxy = await scene.proxy({ backends: [hole.address], pool: { connect } });
      return { proxy, client: scene.client(proxy.port) };
    },
  ],
  [
    'whose backend is silent in its TLS handshake',
    'dialing',
    async () => {
      const backend = await scene.backend((socket) => socket.resume());
      const connect = { timeout: '1m', retries: 0, tls: { verify: false } };
      const proxy = await scene.proxy({ backends: [backend.address], pool: { connect } });
      const arriving = arrival(backend);
      const client = scene.client(proxy.port);
      await arriving;
      return { proxy, client };
    },
  ],
  [
    'that waits to dial the same backend again',
    'dialing',
    async () => {
      const backoff = { initial: '1m', max: '1m' };
      const proxy = await scene.proxy({
        backends: [await scene.deadBackend()],
        pool: { connect: { timeout: '1s', retries: 9, backoff } },
      });
      return { proxy, client: scene.client(proxy.port) };
    },
  ],
  ['that is relayed', 'relaying', relayed],
  [
    'whose client has finished',
    'relaying',
    async () => {
      const backend = await scene.backend((socket) => void socket.write('ok'));
      const proxy = await scene.proxy({ backends: [backend.address] });
      const arriving = arrival(backend);
      const client = scene.client(proxy.port);
      await nextText(client);
      client.end();
      const server = await arriving;
      await once(server.resume(), 'end');
      return { proxy, client };
    },
  ],
  [
    'whose backend has finished',
    'relaying',
    async () => {
      const backend = await scene.backend((socket) => void socket.resume().end('ok'));
      const proxy = await scene.proxy({ backends: [backend.address] });
      const client = scene.client(proxy.port);
      await nextText(client);
      // Who has read the end notices a reset when it writes.
      const talk = setInterval(() => client.write('x'), 20);
      scene.afterwards(() => clearInterval(talk));
      return { proxy, client };
    },
  ],
  [
    'of a backend that is drained',
    'relaying',
    async () => {
      const { backend, proxy, client } = await relayed();
      await scene.sluice.api(`PATCH pools/${proxy.pool}/backends/${backend.address}`, { state: 'drain' });
      scene.afterwards(() => scene.sluice.api('DELETE overrides'));
      return { proxy, client };
    },
  ],
];

async function relayed() {
  const backend = await scene.backend(named('ok'));
  const proxy = await scene.proxy({ backends: [backend.address] });
  const client = scene.client(proxy.port);
  await nextText(client);
  return { backend, proxy, client };
}

const ways = {
  'by its id': (id: string) => scene.sluice.api(`DELETE sessions/${id}`),
  'by a filter': (_: string, filter: object) => scene.sluice.api('POST sessions/close', { filter }),
};

describe.each(stages)('A session %s', (_, state, begin) => {
  it.each(Object.entries(ways))(
    'is ended %s: its client is reset, and nothing of it is left',
    async (_way, end) => {
      const { proxy, client, others = 0 } = await begin();
      const reset = resetOf(client);
      const filter = { listener: proxy.listener, state };
      const id = await eventually(async () => {
        const found = await listed(filter);
        expect(found).toHaveLength(1);
        return found[0]?.id ?? '';
      });
      const { code, body } = await end(id, filter);
      expect([code, body]).toEqual(code === 204 ? [204, undefined] : [202, { matched: 1 }]);
      expect(await reset).toBe(true);
      await eventually(async () => expect(await listed({ listener: proxy.listener })).toHaveLength(others));
      expect(await proxy.reasons()).toEqual({ operator: 1 });
      const [line] = await proxy.closed();
      expect(line).toMatchObject({ reason: 'operator', endedBy: 'proxy' });
      expect((await proxy.backend()).active).toBe(others);
      expect(await proxy.queueLength()).toBe(0);
      expect((await scene.sluice.api(`DELETE sessions/${id}`)).code).toBe(404);
    },
  );
});

it('A session of a proxy that drains is ended by its id, and the proxy with it', async () => {
  const backend = await scene.backend(named('ok'));
  const sluice = await sluiceOfTest(
    JSON.stringify({
      version: 1,
      listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
      pools: { app: { backends: [backend.address] } },
      admin: { bind: '127.0.0.1:0' },
      shutdown: { grace: '5m' },
    }),
  );
  const client = scene.client(sluice.port('web'));
  await nextText(client);
  const reset = resetOf(client);
  sluice.signal('SIGTERM');
  await sluice.logged(({ msg }) => msg === 'closed');
  const [session] = (await sluice.api('GET sessions')).body.sessions;
  expect((await sluice.api(`DELETE sessions/${session.id}`)).code).toBe(204);
  expect(await reset).toBe(true);
  expect(await sluice.ended).toBe(0);
  expect(sluice.sessions).toMatchObject([{ reason: 'operator' }]);
});

async function listed(
  filter: Readonly<Record<string, string>>,
): Promise<readonly { id: string; state: string }[]> {
  return (await scene.sluice.api(`GET sessions?${new URLSearchParams(filter)}`)).body.sessions;
}

/** Whether it is reset in the end; it does not finish by itself. */
function resetOf(client: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    client.on('error', () => resolve(true)).on('close', () => resolve(false));
    client.resume();
  });
}
