/** An operator pauses a listener, so that its clients wait, or turns it off, so that they are refused. */
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { startBackend, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest, clientOfTest } from '../support/of-test.ts';
import { type OperatedOptions, operatedOfTest } from './operated.ts';

describe.each(['uring', 'portable'] as const)('With the %s driver, a listener', (driver) => {
  const isHere = driver === 'portable' || whyNot() === undefined;

  describe.skipIf(!isHere).each([1, 2])('of %i workers', (workers) => {
    it('that is paused has its clients wait, and loses none', async () => {
      const { port, change, sluice } = await open({ driver, workers });
      const early = await client(port);
      expect(await textOf(early, 1)).toBe('x');
      expect(await change({ accept: 'paused', reason: 'move' })).toMatchObject({ code: 200 });
      const crowd = await Promise.all(Array.from({ length: 100 }, () => client(port)));
      const answers = crowd.map((one) => textOf(one, 1));
      early.write('y');
      expect(await textOf(early, 1)).toBe('y');
      const { web } = (await sluice.status()).listeners;
      expect(web).toMatchObject({ accept: 'paused', active: 1, total: 1 });
      expect((await sluice.ask('/readyz')).code).toBe(200);
      expect(await change({ accept: null })).toMatchObject({ code: 200 });
      expect(new Set(await Promise.all(answers))).toEqual(new Set(['x']));
      await sluice.logged(({ msg }) => msg === 'listener accepts clients again');
    });

    it('that is off refuses clients, leaves those that it has, and comes back to its address', async () => {
      const { port, change, sluice } = await open({ driver, workers });
      const early = await client(port);
      expect(await textOf(early, 1)).toBe('x');
      expect(await change({ accept: 'off' })).toMatchObject({ code: 200 });
      await expect(client(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      early.write('y');
      expect(await textOf(early, 1)).toBe('y');
      expect((await sluice.status()).listeners['web']).toMatchObject({ accept: 'off', bind: [] });
      expect(await change({ accept: 'on' })).toMatchObject({ code: 200 });
      expect(await textOf(await client(port), 1)).toBe('x');
    });
  });
});

describe('A listener', () => {
  it('stays off where its address has been taken meanwhile, and says so', async () => {
    const { port, change, sluice } = await open();
    await change({ accept: 'off' });
    const other = await startBackend(() => {}, { host: '127.0.0.1', port });
    onTestFinished(() => other.close());
    const refused = await change({ accept: null });
    expect(refused).toMatchObject({ code: 409, body: { error: expect.stringContaining('in use') } });
    expect((await sluice.status()).listeners['web']).toMatchObject({ accept: 'off' });
    await other.close();
    expect(await change({ accept: null })).toMatchObject({ code: 200 });
    expect(await textOf(await client(port), 1)).toBe('x');
  });

  it('goes on by itself when its time is over', async () => {
    const { port, change, sluice } = await open();
    await change({ accept: 'off', for: '300ms' });
    await sluice.logged(({ msg }) => msg === 'listener accepts clients again');
    await eventually(async () => expect(await textOf(await client(port), 1)).toBe('x'));
    await change({ accept: 'paused', for: '300ms' });
    expect(await textOf(await client(port), 1)).toBe('x');
  });

  it('is as an operator wants it after a reload and a restart too', async () => {
    const { port, change, sluice, restart } = await open();
    await change({ accept: 'off' });
    await sluice.reload();
    await expect(client(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const again = await restart();
    await expect(client(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect((await again.api('DELETE overrides')).code).toBe(200);
    expect(await textOf(await client(port), 1)).toBe('x');
  });

  it('serves those who wait for a paused one when the proxy drains', async () => {
    const { port, change, sluice } = await open();
    await change({ accept: 'paused' });
    const waiting = await client(port);
    sluice.signal('SIGTERM');
    expect(await textOf(waiting, 1)).toBe('x');
    waiting.end();
    expect(await sluice.ended).toBe(0);
  });
});

async function client(port: number): Promise<Socket> {
  const socket = await clientOfTest(port);
  socket.write('x');
  return socket;
}

async function open(options?: OperatedOptions) {
  const operated = await operatedOfTest((await backendOfTest()).address, options);
  const change = (patch: object) => operated.sluice.api('PATCH listeners/web', patch);
  return { ...operated, change };
}
