/** `sluice hold` and `sluice release`, each as a process of its own. */
import { describe, expect, it } from 'vitest';
import { named, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { type Outcome, ran } from '../support/ran.ts';
import { openBlackHole } from './black-hole.ts';
import { openScene } from './scene.ts';

const scene = openScene({ workers: 2 });

function operate(...args: readonly string[]): Promise<Outcome> {
  return ran([...args, '--admin', String(scene.sluice.adminPort)]);
}

async function stage() {
  const backend = await scene.backend(named('ok'));
  return { backend, proxy: await scene.proxy({ backends: [backend.address] }) };
}

describe('sluice hold', () => {
  it('waits until no session is left; who comes meanwhile is served after the release', async () => {
    const { proxy } = await stage();
    const { pool } = proxy;
    const client = scene.client(proxy.port);
    expect(await nextText(client)).toBe('ok');
    const holding = operate('hold', pool, '--for', '1m', '--wait-idle', '--reason', 'upgrade');
    await eventually(async () => expect((await operate('status', pool)).stdout).toContain(', held until '));
    client.end();
    const { exit, stdout } = await holding;
    expect([exit, stdout]).toEqual([
      0,
      expect.stringMatching(/^\S+: held until \S+Z, 0 sessions, 0 waiting\n$/),
    ]);
    expect((await operate('status')).stdout).toMatch(
      new RegExp(`^changed: ${pool} hold, until \\S+, by \\S+: upgrade$`, 'm'),
    );

    const waiting = scene.client(proxy.port);
    const text = nextText(waiting);
    await eventually(async () => expect(await proxy.queueLength()).toBe(1));
    const released = await operate('release', pool, '--rate', '100');
    expect([released.exit, released.stderr]).toEqual([0, '']);
    expect(await text).toBe('ok');
    await eventually(async () => expect((await operate('status', pool)).stdout).not.toContain('releasing'));
  });

  it('shows a pool that is released slowly, and how fast', async () => {
    const { proxy } = await stage();
    await operate('hold', proxy.pool, '--for', '1m');
    const clients = [scene.client(proxy.port), scene.client(proxy.port), scene.client(proxy.port)];
    await eventually(async () => expect(await proxy.queueLength()).toBe(clients.length));
    await operate('release', proxy.pool, '--rate', '0.01');
    expect((await operate('status', proxy.pool)).stdout).toContain(', releasing 0.01 a second\n');
  });

  it('ends with 1 where it is resumed before no session is left, or not in time', async () => {
    const { proxy } = await stage();
    const client = scene.client(proxy.port);
    await nextText(client);
    const { exit, stderr } = await operate('hold', proxy.pool, '--for', '300ms', '--wait-idle');
    expect([exit, stderr]).toEqual([
      1,
      expect.stringMatching(/^sluice: The (pool .* was resumed before|time is over)/),
    ]);
  });

  it('ends the sessions that there are, where it is asked to', async () => {
    const { proxy } = await stage();
    const client = scene.client(proxy.port);
    await nextText(client);
    client.resume();
    const { exit, stdout } = await operate(
      'hold',
      proxy.pool,
      '--for',
      '1m',
      '--sessions',
      'close',
      '--wait-idle',
      '--json',
    );
    expect([exit, JSON.parse(stdout)]).toMatchObject([
      0,
      { active: 0, hold: { phase: 'held', sessions: 'close' } },
    ]);
    expect(JSON.parse((await operate('release', proxy.pool, '--json')).stdout)).toMatchObject({
      pool: proxy.pool,
    });
  });

  it.each(['its dial', 'its TLS handshake'])(
    'gives up %s, so that the pool is idle, and loses no client',
    async (what) => {
      const isTls = what.includes('TLS');
      const hole = isTls ? undefined : await openBlackHole();
      scene.afterwards(() => hole?.close());
      const backend = await scene.backend(isTls ? (socket) => socket.resume() : named('ok'));
      const connect = { timeout: '1m', retries: 0, ...(isTls && { tls: { verify: false } }) };
      const proxy = await scene.proxy({ backends: [hole?.address ?? backend.address], pool: { connect } });
      const client = scene.client(proxy.port);
      await eventually(async () => expect((await proxy.backend()).active).toBe(1));
      const idle = await operate('hold', proxy.pool, '--for', '1m', '--sessions', 'close', '--wait-idle');
      expect([idle.exit, idle.stdout]).toEqual([0, expect.stringMatching(/, 0 sessions, 1 waiting\n$/)]);
      expect((await operate('sessions', '--state', 'held')).stdout).toContain(
        `127.0.0.1:${client.localPort}`,
      );
      await operate('release', proxy.pool);
      await eventually(async () => expect((await proxy.backend()).active).toBe(1));
      client.resetAndDestroy();
      expect(await proxy.ended(1)).toEqual({ 'client-left': 1 });
    },
  );

  it('names the nearest pool', async () => {
    const { proxy } = await stage();
    for (const args of [
      ['hold', `${proxy.pool}0`, '--for', '1m'],
      ['release', `${proxy.pool}0`],
    ]) {
      const { exit, stderr } = await operate(...args);
      expect([exit, stderr]).toEqual([1, expect.stringContaining(`did you mean "${proxy.pool}"?`)]);
    }
  });
});
