/** An operator pauses a listener, so that its clients wait, or turns it off, so that they are refused. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { listenOn } from '../conformance/peers.ts';
import { echo, startBackend, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { Sluice } from '../support/sluice.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

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
    const other = createServer();
    await listenOn(other, { host: '127.0.0.1', port });
    ends.push(() => other.close());
    const refused = await change({ accept: null });
    expect(refused).toMatchObject({ code: 409, body: expect.stringContaining('in use') });
    expect((await sluice.status()).listeners['web']).toMatchObject({ accept: 'off' });
    other.close();
    await once(other, 'close');
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
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const first = await open({ folder });
    await first.change({ accept: 'off' });
    expect((await first.sluice.ask('/api/v1/reload', 'POST')).code).toBe(200);
    await expect(client(first.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    first.sluice.signal('SIGKILL');
    await first.sluice.ended;
    const again = await first.again();
    await expect(client(first.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect((await again.sluice.ask('/api/v1/overrides', 'DELETE')).code).toBe(200);
    expect(await textOf(await client(first.port), 1)).toBe('x');
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
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  ends.push(() => socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write('x');
  return socket;
}

interface Asked {
  readonly driver?: string;
  readonly workers?: number;
  readonly folder?: string;
}

async function open({ driver, workers = 2, folder }: Asked = {}) {
  const backend = await startBackend(echo);
  ends.push(() => backend.close());
  const port = await freePort();
  const config = JSON.stringify({
    version: 1,
    ...(driver && { driver }),
    workers,
    listeners: { web: { bind: `127.0.0.1:${port}`, pool: 'app' } },
    pools: { app: { backends: [backend.address] } },
    admin: { bind: '127.0.0.1:0', state: 'state.json' },
  });
  const run = async () => {
    const sluice = await (folder === undefined ? Sluice.run(config) : Sluice.runIn(folder, config));
    ends.push(() => sluice.stop());
    const headers = { 'content-type': 'application/json' };
    const change = (patch: object) =>
      sluice.ask('/api/v1/listeners/web', 'PATCH', headers, JSON.stringify(patch));
    return { sluice, port, change };
  };
  return { ...(await run()), again: run };
}
