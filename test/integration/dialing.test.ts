import { describe, expect, it } from 'vitest';
import { arrival, ending, named, nextText, textOf } from '../support/backends.ts';
import { openBlackHole } from './black-hole.ts';
import { openScene } from './scene.ts';

const scene = openScene({ workers: 1 });

describe('dialing', () => {
  it('gives a backend up that does not answer within connect.timeout', async () => {
    const hole = await blackHole();
    const proxy = await scene.proxy({
      backends: [hole],
      pool: { connect: { timeout: '200ms', retries: 0 } },
    });
    expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: true });
    expect(await proxy.closed()).toMatchObject([
      { level: 'warn', reason: 'connect-timeout', endedBy: 'proxy', attempts: 1, backend: hole },
    ]);
  });

  it('goes on to a live backend, with what the client said meanwhile delivered once', async () => {
    const hole = await blackHole();
    const live = await scene.backend(() => {});
    const proxy = await scene.proxy({
      backends: [hole, live.address],
      pool: { balance: 'first', connect: { timeout: '200ms' } },
    });
    const arriving = arrival(live);
    const client = scene.client(proxy.port);
    client.end('said while dialing');
    const server = await arriving;
    server.end('heard');
    expect(await ending(server)).toEqual({ text: 'said while dialing', reset: false });
    expect(await ending(client)).toEqual({ text: 'heard', reset: false });
    expect(await proxy.closed()).toMatchObject([{ reason: 'finished', attempts: 2, backend: live.address }]);
    expect(await failures(proxy.pool, hole, 'connect-timeout')).toBe(1);
  });

  it('dials no second backend where retries are off', async () => {
    const dead = await scene.deadBackend();
    const live = await scene.backend(named('live'));
    const proxy = await scene.proxy({
      backends: [dead, live.address],
      pool: { balance: 'first', connect: { retries: 0 } },
    });
    expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: true });
    expect(await proxy.closed()).toMatchObject([{ reason: 'connect-refused', attempts: 1, backend: dead }]);
    expect(live.total).toBe(0);
    expect(await failures(proxy.pool, dead, 'connect-refused')).toBe(1);
  });

  it('stops after the first dial and its retries, also where there is only one backend', async () => {
    const dead = await scene.deadBackend();
    const proxy = await scene.proxy({
      backends: [dead],
      pool: { connect: { retries: 2, backoff: { initial: '1ms', max: '2ms' } } },
    });
    await ending(scene.client(proxy.port));
    expect(await proxy.closed()).toMatchObject([{ reason: 'connect-refused', attempts: 3 }]);
    expect(await failures(proxy.pool, dead, 'connect-refused')).toBe(3);
  });

  it('asks a backup only when no primary can be had', async () => {
    const dead = await scene.deadBackend();
    const backup = await scene.backend(named('backup'));
    const proxy = await scene.proxy({ backends: [dead, { address: backup.address, backup: true }] });
    const client = scene.client(proxy.port);
    expect(await nextText(client)).toBe('backup');
    client.end();
    expect(await proxy.closed()).toMatchObject([{ attempts: 2, backend: backup.address }]);
  });

  it('tells a refused client with FIN where refuseWith is close', async () => {
    const proxy = await scene.proxy({
      backends: [await scene.deadBackend()],
      listener: { refuseWith: 'close' },
      pool: { connect: { retries: 0 } },
    });
    expect(await ending(scene.client(proxy.port))).toEqual({ text: '', reset: false });
    expect(await proxy.closed()).toMatchObject([{ reason: 'connect-refused' }]);
  });

  it('spreads 30 connections over weights 1 and 2 as 10 and 20', async () => {
    const [one, two] = [await scene.backend(named('1')), await scene.backend(named('2'))];
    const proxy = await scene.proxy({ backends: [one.address, { address: two.address, weight: 2 }] });
    for (let visit = 0; visit < 30; visit++) {
      const client = scene.client(proxy.port);
      await textOf(client, 1);
      client.end();
    }
    expect([one.total, two.total]).toEqual([10, 20]);
  });
});

async function blackHole(): Promise<string> {
  const hole = await openBlackHole();
  scene.afterwards(() => hole.close());
  return hole.address;
}

function failures(pool: string, backend: string, reason: string): Promise<number> {
  const series = 'sluice_backend_connect_failures_total';
  return scene.sluice.metric(`${series}{pool="${pool}",backend="${backend}",reason="${reason}"}`);
}
