import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { echo, ending, named } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { nodeBinary } from '../support/sluice.ts';
import { openBlackHole } from './black-hole.ts';
import { openScene } from './scene.ts';

const version = execFileSync(nodeBinary, ['-p', 'process.versions.node'], { encoding: 'utf8' });
const [major = 0, minor = 0] = version.split('.').map(Number);
const runsUring = process.env['SLUICE_DRIVER'] !== 'portable' && whyNot() === undefined;
const sharesPorts =
  runsUring ||
  (process.platform === 'linux' && (major > 23 || (major >= 22 && minor >= (major === 22 ? 12 : 1))));

describe.skipIf(!sharesPorts)('two workers (skipped where threads can not share a port)', () => {
  const scene = openScene({ workers: 2 });

  it('serve sessions on one port, and their limit is one limit', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({ backends: [{ address: backend.address, maxConnections: 10 }] });
    const clients = Array.from({ length: 200 }, () => scene.client(proxy.port));
    const ends = clients.map(ending);
    expect(await proxy.ended(190)).toEqual({ 'pool-full': 190 });
    await eventually(() => expect(backend).toMatchObject({ total: 10, most: 10 }));
    for (const client of clients) client.end();
    await Promise.all(ends);
  });

  it('accept a like share each of those who come', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({ backends: [backend.address] });
    const clients = Array.from({ length: 300 }, () => scene.client(proxy.port));
    await eventually(() => expect(backend.total).toBe(300));
    const { body } = await scene.sluice.api('GET sessions?limit=1000');
    const ids: readonly string[] = body.sessions.map(({ id }: { id: string }) => id);
    const shares = ['w0.', 'w1.'].map((worker) => ids.filter((id) => id.startsWith(worker)).length);
    expect(ids).toHaveLength(300);
    // The kernel chooses by a hash: 150 each, and in one run of a hundred million fewer than 100.
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(100);
    for (const client of clients) client.end();
    await Promise.all(clients.map(ending));
  });

  it('take turns from one row: weights 1 and 2 give 10 and 20 of 30', async () => {
    const [a, b] = [await scene.backend(named('a')), await scene.backend(named('b'))];
    const proxy = await scene.proxy({ backends: [a.address, { address: b.address, weight: 2 }] });
    const ends = Array.from({ length: 30 }, () => {
      const client = scene.client(proxy.port);
      client.on('connect', () => client.end());
      return ending(client);
    });
    await Promise.all(ends);
    expect([a.total, b.total]).toEqual([10, 20]);
    expect(await proxy.ended(30)).toEqual({ finished: 30 });
  });

  it('hand places over to each other through the queue', () => scene.echoesThroughQueue(3));

  it('keep one queue: who came first is served first, on whichever worker', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({
      backends: [{ address: backend.address, maxConnections: 1 }],
      pool: { limits: { queue: { size: 20, timeout: '1m' } } },
    });
    const holder = scene.client(proxy.port);
    await eventually(() => expect(backend.total).toBe(1));
    const served: number[] = [];
    const line = Array.from({ length: 12 }, (_, number) => number);
    for (const number of line) {
      const client = scene.client(proxy.port);
      client.once('data', () => {
        served.push(number);
        client.end();
      });
      client.write('hello');
      await eventually(async () => expect(await proxy.queueLength()).toBe(number + 1));
    }
    holder.end();
    await proxy.ended(13);
    expect(served).toEqual(line);
  });

  it('share one breaker, with exactly halfOpenTrials', async () => {
    const hole = await openBlackHole();
    scene.afterwards(() => hole.close());
    const proxy = await scene.proxy({
      backends: [hole.address],
      pool: {
        connect: { retries: 0, timeout: '700ms' },
        circuitBreaker: { consecutiveFailures: 1, openFor: '100ms', halfOpenTrials: 2 },
      },
    });
    await ending(scene.client(proxy.port));
    await eventually(async () => expect((await proxy.backend()).unavailable).toBeNull());
    await Promise.all(Array.from({ length: 50 }, () => ending(scene.client(proxy.port))));
    expect(await proxy.ended(51)).toEqual({ 'connect-timeout': 3, 'no-backend': 48 });
  });

  it('let a reload replace everything without losing a connection', async () => {
    const [a, b] = [await scene.backend(named('a')), await scene.backend(named('b'))];
    await scene.proxy({ backends: [a.address] });
    const proxy = await scene.proxy({ backends: [b.address] });
    const ends = Array.from({ length: 50 }, () => {
      const client = scene.client(proxy.port);
      client.on('connect', () => client.end());
      return ending(client);
    });
    expect((await Promise.all(ends)).every(({ text }) => text === 'b')).toBe(true);
    expect(await proxy.ended(50)).toEqual({ finished: 50 });
  });
});
