import { describe, expect, it } from 'vitest';
import { echo, ending, nextText, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openBlackHole } from './black-hole.ts';
import { openScene } from './scene.ts';

const scene = openScene();

describe('a reset', () => {
  it('of the client mid-stream resets the backend', async () => {
    const { proxy, client, server } = await scene.pair();
    client.write('half a');
    expect(await textOf(server, 6)).toBe('half a');
    const ended = ending(server);
    client.resetAndDestroy();
    expect((await ended).reset).toBe(true);
    expect(await proxy.closed()).toMatchObject([{ reason: 'client-reset', endedBy: 'client' }]);
  });

  it('of the backend mid-stream resets the client', async () => {
    const { proxy, client, server } = await scene.pair();
    server.write('half an');
    expect(await textOf(client, 7)).toBe('half an');
    const ended = ending(client);
    server.resetAndDestroy();
    expect((await ended).reset).toBe(true);
    expect(await proxy.closed()).toMatchObject([{ reason: 'backend-reset', endedBy: 'backend' }]);
    expect(await proxy.backend()).toMatchObject({ circuit: 'closed', active: 0 });
  });

  it('after a half-close reaches the side that still sends', async () => {
    const { proxy, client, server } = await scene.pair();
    client.end('question');
    expect(await textOf(server, 8)).toBe('question');
    server.write('part of');
    expect(await textOf(client, 7)).toBe('part of');
    const ended = ending(client);
    server.resetAndDestroy();
    expect((await ended).reset).toBe(true);
    expect(await proxy.closed()).toMatchObject([{ reason: 'backend-reset' }]);
  });

  it('in the queue frees the place of the client', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({
      backends: [backend.address],
      pool: { limits: { maxConnections: 1, queue: { size: 1, timeout: '1m' } } },
    });
    const first = scene.client(proxy.port);
    first.write('a');
    expect(await nextText(first)).toBe('a');
    const leaver = scene.client(proxy.port);
    await eventually(async () => expect(await proxy.queueLength()).toBe(1));
    leaver.resetAndDestroy();
    await eventually(async () => expect(await proxy.queueLength()).toBe(0));
    const next = scene.client(proxy.port);
    next.write('b');
    await eventually(async () => expect(await proxy.queueLength()).toBe(1));
    first.end();
    expect(await nextText(next)).toBe('b');
    expect(backend.total).toBe(2);
    next.end();
    expect(await proxy.ended(3)).toEqual({ finished: 2, 'client-left': 1 });
  });

  it('while its dial is under way aborts the dial, and says nothing against the backend', async () => {
    const hole = await openBlackHole();
    scene.afterwards(() => hole.close());
    const proxy = await scene.proxy({
      backends: [hole.address],
      pool: { connect: { timeout: '1m', retries: 0 }, circuitBreaker: { consecutiveFailures: 1 } },
    });
    const client = scene.client(proxy.port);
    await eventually(async () => expect((await proxy.backend()).active).toBe(1));
    client.resetAndDestroy();
    expect(await proxy.closed()).toMatchObject([{ level: 'warn', reason: 'client-left', attempts: 1 }]);
    expect(await proxy.backend()).toMatchObject({ active: 0, circuit: 'closed', unavailable: null });
  });

  it('while it waits to dial again ends the session', async () => {
    const dead = await scene.deadBackend();
    const proxy = await scene.proxy({
      backends: [dead],
      pool: { connect: { retries: 1, backoff: { initial: '1m', max: '1m' } }, circuitBreaker: 'off' },
    });
    const failures = `sluice_backend_connect_failures_total{pool="${proxy.pool}",backend="${dead}",reason="connect-refused"}`;
    const clients = [scene.client(proxy.port), scene.client(proxy.port), scene.client(proxy.port)];
    await eventually(async () => expect(await proxy.sluice.metric(failures)).toBe(3));
    for (const client of clients) client.resetAndDestroy();
    expect(await proxy.ended(3)).toEqual({ 'client-left': 3 });
  });

  it('by either side at any byte of 1,000 sessions leaves nothing behind', async () => {
    const backend = await scene.backend((socket) => {
      echo(socket);
      let seen = 0;
      let resetsAt: number | undefined;
      socket.on('data', (bytes: Buffer) => {
        resetsAt ??= /^B\d+/.test(bytes.toString()) ? Number(bytes.toString('latin1', 1, 6)) : Infinity;
        seen += bytes.length;
        if (seen >= resetsAt) socket.resetAndDestroy();
      });
    });
    const proxy = await scene.proxy({ backends: [backend.address] });
    const cutShort = async (number: number): Promise<void> => {
      const client = scene.client(proxy.port);
      // Spread evenly over the payload, in an order that jumps.
      const resetsAt = (number * 7_919) % payloadBytes;
      const first = `${number % 2 === 0 ? 'B' : 'C'}${String(resetsAt).padStart(5, '0')}`;
      client.write(first.padEnd(payloadBytes, 'x'));
      let seen = 0;
      client.on('data', (bytes: Buffer) => {
        seen += bytes.length;
        if (seen >= resetsAt && number % 2 === 1) client.resetAndDestroy();
      });
      await ending(client);
    };
    for (let done = 0; done < 1_000; done += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => cutShort(done + index)));
    }
    expect(await proxy.ended(1_000)).toEqual({ 'client-reset': 500, 'backend-reset': 500 });
    await eventually(() => expect(backend.open.size).toBe(0));
  });
});

const payloadBytes = 40_000;
