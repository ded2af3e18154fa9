import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ending, named, nextText, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene();

describe('a limit', () => {
  it.each([
    ['of the listener', 'listener-full', { listener: { limits: { maxConnections: 2 } } }],
    ['of the pool', 'pool-full', { pool: { limits: { maxConnections: 2 } } }],
  ])(
    '%s refuses what is too much, unseen by the backend, until somebody leaves',
    async (_, reason, shape) => {
      const backend = await scene.backend(named('ok'));
      const proxy = await scene.proxy({ backends: [backend.address], ...shape });
      await expectTwoPlaces(proxy, reason);
      expect(backend).toMatchObject({ total: 3, most: 2 });
    },
  );

  it('of a backend sends what is too much to the next, then refuses', async () => {
    const [small, other] = [await scene.backend(named('ok')), await scene.backend(named('ok'))];
    const proxy = await scene.proxy({
      backends: [small, other].map(({ address }) => ({ address, maxConnections: 1 })),
    });
    await expectTwoPlaces(proxy, 'pool-full');
    expect([small.most, other.most]).toEqual([1, 1]);
  });

  it('per client refuses a second one from the same address only', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { limits: { perClient: { maxConnections: 1 } } },
    });
    const from = (localAddress: string): Socket =>
      scene.client({ port: proxy.port, host: '127.0.0.1', localAddress });
    const first = from('127.0.0.2');
    expect(await textOf(first, 2)).toBe('ok');
    expect((await ending(from('127.0.0.2'))).reset).toBe(true);
    expect(await textOf(from('127.0.0.3'), 2)).toBe('ok');
    first.end();
    expect(await nextText(first)).toBe('');
    await eventually(async () => expect(await proxy.active()).toBe(1));
    expect(await textOf(from('127.0.0.2'), 2)).toBe('ok');
    expect(await proxy.reasons()).toEqual({ finished: 1, 'client-full': 1 });
  });

  it('of 10 holds for 200 clients at once, and the queue serves them all', () =>
    scene.echoesThroughQueue(10));

  it('of 10 refuses the others of 200 at once where there is no queue', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({ backends: [{ address: backend.address, maxConnections: 10 }] });
    const clients = Array.from({ length: 200 }, () => scene.client(proxy.port));
    const ends = clients.map(ending);
    expect(await proxy.ended(190)).toEqual({ 'pool-full': 190 });
    await eventually(() => expect(backend).toMatchObject({ total: 10, most: 10 }));
    for (const client of clients) client.end();
    await Promise.all(ends);
  });

  it('shows a refused client FIN where refuseWith is close', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { limits: { maxConnections: 1 }, refuseWith: 'close' },
    });
    expect(await textOf(scene.client(proxy.port), 2)).toBe('ok');
    expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: false });
    expect(await proxy.closed()).toMatchObject([{ level: 'warn', reason: 'listener-full', attempts: 0 }]);
  });
});

describe('a rate', () => {
  // So low that no token comes back while the test runs.
  const rate = { connectionsPerSecond: 0.001, burst: 3 };

  it('of the listener lets a burst through and no more', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({ backends: [backend.address], listener: { limits: rate } });
    expect(await visits(proxy, 10, '127.0.0.1')).toBe(3);
    expect(await proxy.ended(10)).toEqual({ finished: 3, 'rate-limited': 7 });
    expect(backend.total).toBe(3);
  });

  it('per client gives each address a burst of its own', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { limits: { perClient: rate } },
    });
    expect(await visits(proxy, 5, '127.0.0.4')).toBe(3);
    expect(await visits(proxy, 5, '127.0.0.5')).toBe(3);
    expect(await proxy.ended(10)).toEqual({ finished: 6, 'rate-limited': 4 });
  });
});

/** Two are served, a third is refused, and the next is served once one has left. */
async function expectTwoPlaces(proxy: Proxied, reason: string): Promise<void> {
  const [first, second] = [scene.client(proxy.port), scene.client(proxy.port)];
  expect([await textOf(first, 2), await textOf(second, 2)]).toEqual(['ok', 'ok']);
  expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: true });
  first.end();
  expect(await nextText(first)).toBe('');
  await eventually(async () => expect(await proxy.active()).toBe(1));
  expect(await textOf(scene.client(proxy.port), 2)).toBe('ok');
  expect(await proxy.reasons()).toEqual({ finished: 1, [reason]: 1 });
}

/** How many of so many clients, one after the other, were served. */
async function visits(proxy: Proxied, count: number, localAddress: string): Promise<number> {
  let served = 0;
  for (let visit = 0; visit < count; visit++) {
    const client = scene.client({ port: proxy.port, host: '127.0.0.1', localAddress });
    client.on('connect', () => client.end());
    if ((await ending(client)).text === 'ok') served++;
  }
  return served;
}
