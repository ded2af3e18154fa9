/** An operator holds a pool while its only backend is restarted: its clients wait, and all are served. */
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { ending, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { clientOfTest } from '../support/of-test.ts';
import type { Sluice } from '../support/sluice.ts';
import { type BackendProcess, startBackendProcess } from './backend-process.ts';
import { type OperatedOptions, operatedOfTest } from './operated.ts';

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
      expect((await stage.sluice.api('GET wait?pool=app&until=idle&timeout=1m')).code).toBe(200);
      const crowd = await Promise.all(Array.from({ length: 1_000 }, () => client(stage.port)));
      const answers = crowd.map((one) => textOf(one, hello.length));
      await eventually(async () => expect((await poolOf(stage.sluice)).queue).toBe(1_000));
      expect((await stage.sluice.ask('/readyz')).code).toBe(200);
      expect(await stage.sluice.metric('sluice_pool_held{pool="app"}')).toBe(1);
      await stage.backend.close();
      await backendProcess(stage.backend.port);
      expect((await stage.change({ hold: null })).code).toBe(200);
      expect(new Set(await Promise.all(answers))).toEqual(new Set([hello]));
      for (const one of crowd) one.end();
      await eventually(async () => {
        const { active, closed } = (await stage.sluice.status()).listeners['web'] as never;
        expect({ active, closed }).toEqual({ active: 0, closed: { finished: 1_000, operator: 1 } });
      });
      await eventually(async () => expect((await poolOf(stage.sluice)).hold).toBeNull());
      await stage.sluice.logged(({ msg, waiting }) => msg === 'pool released' && waiting === 1_000);
    });
  });
});

describe('A hold', () => {
  it('ends by itself, and serves those who wait', async () => {
    const stage = await open();
    const waiting = await held(stage);
    await stage.change({ hold: { for: '300ms' } });
    expect(await textOf(waiting, hello.length)).toBe(hello);
    expect((await poolOf(stage.sluice)).hold?.phase).not.toBe('held');
  });

  it('ends by itself with the refusal of those who wait, where that is wanted', async () => {
    const stage = await open();
    const waiting = await held(stage);
    await stage.change({ hold: { for: '300ms', then: 'refuse' } });
    expect(await ending(waiting)).toEqual({ text: '', reset: true });
    await stage.sluice.logged(({ reason }) => reason === 'queue-timeout');
    await stage.sluice.logged(({ msg }) => msg === 'hold is over, clients that waited are refused');
    expect(await textOf(await client(stage.port), hello.length)).toBe(hello);
  });

  it('outlives reloads and restarts', async () => {
    const stage = await open();
    await stage.change({ hold: { for: '5m', reason: 'failover' } });
    const waiting = await client(stage.port);
    await stage.sluice.reload();
    await eventually(async () => expect((await poolOf(stage.sluice)).queue).toBe(1));
    const again = await stage.restart();
    waiting.destroy();
    expect((await poolOf(again)).hold).toMatchObject({ phase: 'held', reason: 'failover' });
    const next = await client(stage.port);
    await eventually(async () => expect((await poolOf(again)).queue).toBe(1));
    await again.api('PATCH pools/app', { release: {} });
    expect(await textOf(next, hello.length)).toBe(hello);
  });

  it('is ended by an operator while the proxy drains, who thus serves those who wait', async () => {
    const stage = await open();
    const waiting = await held(stage);
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
  const socket = await clientOfTest(port);
  socket.write('x');
  return socket;
}

async function open(options?: OperatedOptions) {
  const backend = await backendProcess();
  const operated = await operatedOfTest(backend.address, options);
  const change = (patch: object) => operated.sluice.api('PATCH pools/app', patch);
  return { ...operated, change, backend };
}

/** A client that waits for a pool that is held, for longer than any test takes. */
async function held({ sluice, port, change }: Awaited<ReturnType<typeof open>>): Promise<Socket> {
  await change({ hold: { for: '5m', timeout: '5m' } });
  const waiting = await client(port);
  await eventually(async () => expect((await poolOf(sluice)).queue).toBe(1));
  return waiting;
}

async function backendProcess(port?: number): Promise<BackendProcess> {
  const backend = await startBackendProcess('b', port);
  onTestFinished(() => backend.close());
  return backend;
}

async function poolOf(sluice: Sluice) {
  return (await sluice.api('GET pools/app')).body;
}
