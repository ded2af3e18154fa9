/** An operator holds a pool while its only backend is restarted: its clients wait, and all are served. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { ending, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { Sluice } from '../support/sluice.ts';
import { type BackendProcess, startBackendProcess } from './backend-process.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe.each(['uring', 'portable'] as const)('With the %s driver, a pool that is held', (driver) => {
  const isHere = driver === 'portable' || whyNot() === undefined;

  describe.skipIf(!isHere).each([1, 2])('by %i workers', (workers) => {
    it('has a thousand clients wait while its only backend is restarted, and loses none', async () => {
      const stage = await open({ driver, workers });
      const early = await client(stage.port);
      expect(await textOf(early, hello.length)).toBe(hello);
      const held = { hold: { for: '2m', timeout: '1m', sessions: 'close', reason: 'upgrade' } };
      expect((await stage.change(held)).code).toBe(200);
      expect((await ending(early)).reset).toBe(true);
      expect((await stage.sluice.ask('/api/v1/wait?pool=app&until=idle&timeout=1m')).code).toBe(200);
      const crowd = await Promise.all(Array.from({ length: 1_000 }, () => client(stage.port)));
      const answers = crowd.map((one) => textOf(one, hello.length));
      await eventually(async () => expect((await stage.pool()).queue).toBe(1_000));
      expect((await stage.sluice.ask('/readyz')).code).toBe(200);
      expect(await stage.sluice.metric('sluice_pool_held{pool="app"}')).toBe(1);
      await stage.backend.close();
      await stage.start();
      expect((await stage.change({ hold: null })).code).toBe(200);
      expect(new Set(await Promise.all(answers))).toEqual(new Set([hello]));
      for (const one of crowd) one.end();
      await eventually(async () => {
        const { active, closed } = (await stage.sluice.status()).listeners['web'] as never;
        expect({ active, closed }).toEqual({ active: 0, closed: { finished: 1_000, operator: 1 } });
      });
      await eventually(async () => expect((await stage.pool()).hold).toBeNull());
      await stage.sluice.logged(({ msg, waiting }) => msg === 'pool released' && waiting === 1_000);
    });
  });
});

describe('A hold', () => {
  it('ends by itself, and serves those who wait', async () => {
    const stage = await open();
    await stage.change({ hold: { for: '300ms' } });
    expect(await textOf(await client(stage.port), hello.length)).toBe(hello);
    expect((await stage.pool()).hold?.phase).not.toBe('held');
  });

  it('ends by itself with the refusal of those who wait, where that is wanted', async () => {
    const stage = await open();
    await stage.change({ hold: { for: '300ms', then: 'refuse' } });
    expect(await ending(await client(stage.port))).toEqual({ text: '', reset: true });
    await stage.sluice.logged(({ reason }) => reason === 'queue-timeout');
    await stage.sluice.logged(({ msg }) => msg === 'hold is over, clients that waited are refused');
    expect(await textOf(await client(stage.port), hello.length)).toBe(hello);
  });

  it('outlives reloads and restarts', async () => {
    const stage = await open({ folder: mkdtempSync(join(tmpdir(), 'sluice-test-')) });
    await stage.change({ hold: { for: '5m', reason: 'failover' } });
    const waiting = await client(stage.port);
    expect((await stage.sluice.ask('/api/v1/reload', 'POST')).code).toBe(200);
    await eventually(async () => expect((await stage.pool()).queue).toBe(1));
    stage.sluice.signal('SIGKILL');
    await stage.sluice.ended;
    waiting.destroy();
    const again = await stage.again();
    expect((await again.pool()).hold).toMatchObject({ phase: 'held', reason: 'failover' });
    const next = await client(again.port);
    await eventually(async () => expect((await again.pool()).queue).toBe(1));
    await again.change({ release: {} });
    expect(await textOf(next, hello.length)).toBe(hello);
  });

  it('is ended by an operator while the proxy drains, who thus serves those who wait', async () => {
    const stage = await open();
    await stage.change({ hold: { for: '5m', timeout: '1m' } });
    const waiting = await client(stage.port);
    await eventually(async () => expect((await stage.pool()).queue).toBe(1));
    stage.sluice.signal('SIGTERM');
    await stage.sluice.logged(({ msg }) => msg === 'draining');
    expect((await stage.change({ hold: null })).code).toBe(200);
    expect(await textOf(waiting, hello.length)).toBe(hello);
    waiting.end();
    expect(await stage.sluice.ended).toBe(0);
  });

  it('is told, with who began it and why, and how fast those go who waited', async () => {
    const stage = await open();
    await stage.change({ hold: { for: '5m', reason: 'upgrade' } });
    await stage.change({ release: { rate: 10 } });
    const held = await stage.sluice.logged(({ msg }) => msg === 'pool held');
    expect(held).toMatchObject({ pool: 'app', by: '127.0.0.1', reason: 'upgrade', then: 'resume' });
    const released = await stage.sluice.logged(({ msg }) => msg === 'pool released');
    expect(released).toMatchObject({ pool: 'app', rate: 10, waiting: 0 });
  });
});

/** What the backend says first, and then says again of the client. */
const hello = 'hello bx';

async function client(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  ends.push(() => socket.destroy());
  await once(socket, 'connect');
  socket.write('x');
  return socket;
}

interface Asked {
  readonly driver?: string;
  readonly workers?: number;
  readonly folder?: string;
}

async function open({ driver, workers = 2, folder }: Asked = {}) {
  const port = await freePort();
  const start = async (): Promise<BackendProcess> => {
    const started = await startBackendProcess('b', port);
    ends.push(() => started.close());
    return started;
  };
  const backend = await start();
  const config = JSON.stringify({
    version: 1,
    ...(driver && { driver }),
    workers,
    listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
    pools: { app: { backends: [`127.0.0.1:${port}`] } },
    admin: { bind: '127.0.0.1:0', state: 'state.json' },
    shutdown: { grace: '1m' },
  });
  const run = async () => {
    const sluice = await (folder === undefined ? Sluice.run(config) : Sluice.runIn(folder, config));
    ends.push(() => sluice.stop());
    const change = async (patch: object) => {
      const headers = { 'content-type': 'application/json' };
      return sluice.ask('/api/v1/pools/app', 'PATCH', headers, JSON.stringify(patch));
    };
    const pool = async (): Promise<{ queue: number; hold: { phase: string } | null }> =>
      JSON.parse((await sluice.ask('/api/v1/pools/app')).body);
    return { sluice, port: sluice.port('web'), change, pool };
  };
  return { ...(await run()), again: run, backend, start };
}
