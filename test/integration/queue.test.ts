import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { echo, ending, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 1 });

describe('a queue', () => {
  it('of 1 serves the second as the first ends, and refuses the third at once', async () => {
    const proxy = await onePlace({ size: 1, timeout: '1m' });
    const first = await served(proxy, 'first');
    const second = await waiting(proxy, 'second', 1);
    expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: true });
    first.end();
    expect(await nextText(second)).toBe('second');
    second.end();
    expect(await proxy.ended(3)).toEqual({ finished: 2, 'queue-full': 1 });
    const waited = (await proxy.closed(3)).filter((line) => Number(line['queueMs']) > 0);
    expect(waited).toHaveLength(1);
  });

  it('is left in the order in which it was joined', async () => {
    const proxy = await onePlace({ size: 3, timeout: '1m' });
    let holder = await served(proxy, 'first');
    const line = [await waiting(proxy, 'a', 1), await waiting(proxy, 'b', 2), await waiting(proxy, 'c', 3)];
    for (const [index, next] of line.entries()) {
      holder.end();
      expect(await nextText(next)).toBe('abc'[index]);
      expect(await proxy.queueLength()).toBe(2 - index);
      holder = next;
    }
  });

  it('refuses who has waited for its timeout', async () => {
    const proxy = await onePlace({ size: 5, timeout: '150ms' });
    await served(proxy, 'first');
    expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: true });
    expect(await proxy.closed()).toMatchObject([{ level: 'warn', reason: 'queue-timeout', attempts: 0 }]);
    expect(await proxy.queueLength()).toBe(0);
  });

  it('forgets a client that finishes without a byte', async () => {
    const proxy = await onePlace({ size: 1, timeout: '1m' });
    const first = await served(proxy, 'first');
    const leaver = scene.client(proxy.port);
    await eventually(async () => expect(await proxy.queueLength()).toBe(1));
    leaver.end();
    expect((await ending(leaver)).text).toBe('');
    expect(await proxy.closed()).toMatchObject([{ reason: 'client-left', endedBy: 'client' }]);
    const next = await waiting(proxy, 'next', 1);
    first.end();
    expect(await nextText(next)).toBe('next');
  });

  it('is given up when its last backend goes down', async () => {
    let healthy = true;
    const backend = await scene.backend((socket) => {
      if (healthy) echo(socket);
      else socket.end('no');
    });
    const proxy = await scene.proxy({
      backends: [{ address: backend.address, maxConnections: 1 }],
      pool: {
        limits: { queue: { size: 5, timeout: '1m' } },
        healthCheck: { type: 'send-expect', send: 'ping', expect: 'ping', interval: '50ms', fall: 2 },
      },
    });
    await eventually(async () => expect((await proxy.backend()).health).toBe('up'));
    await served(proxy, 'first');
    const second = await waiting(proxy, 'second', 1);
    healthy = false;
    expect((await ending(second)).reset).toBe(true);
    expect(await proxy.closed()).toMatchObject([{ reason: 'no-backend' }]);
  });
});

async function onePlace(queue: object): Promise<Proxied> {
  const { address } = await scene.backend(echo);
  return scene.proxy({ backends: [{ address, maxConnections: 1 }], pool: { limits: { queue } } });
}

async function served(proxy: Proxied, word: string): Promise<Socket> {
  const client = scene.client(proxy.port);
  client.write(word);
  expect(await nextText(client)).toBe(word);
  return client;
}

/** A client that stands in line, the last of so many. */
async function waiting(proxy: Proxied, word: string, place: number): Promise<Socket> {
  const client = scene.client(proxy.port);
  client.write(word);
  await eventually(async () => expect(await proxy.queueLength()).toBe(place));
  return client;
}
