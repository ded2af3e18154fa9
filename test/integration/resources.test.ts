import { spawnSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { usage } from '../../bench/stage/usage.ts';
import { echo, ending, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openBlackHole } from './black-hole.ts';
import { leastOf, openScene, type Proxied } from './scene.ts';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

describe.skipIf(!canLimit)('sluice out of descriptors (skipped without prlimit)', () => {
  const runsOut = 'out of file descriptors, new clients are turned away: raise ulimit -n';
  const scene = openScene({ wrap: ['prlimit', '--nofile=128:128'], mayLog: [runsOut] });

  it('serves whom it can, does not spin, and accepts again once some have left', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { timeouts: { idle: '1s' } },
      pool: { connect: { retries: 1, backoff: { initial: '5ms', max: '10ms' } } },
    });
    const { pid } = proxy.sluice;
    const crowd = Array.from({ length: 100 }, () => scene.client(proxy.port));
    const answers = crowd.map(answered);
    // The first is turned away once no descriptor is left; what follows is a time in which nothing can be done.
    await Promise.race(crowd.map((client) => new Promise((resolve) => client.once('end', resolve))));
    const before = usage(pid)?.cpuNs ?? 0;
    const beganMs = performance.now();
    await setTimeout(800);
    const busyMs = ((usage(pid)?.cpuNs ?? 0) - before) / 1e6;
    expect(busyMs).toBeLessThan((performance.now() - beganMs) / 2);
    // As some are idle for too long others are served: each that was accepted finds a descriptor for its dial.
    const served = (await Promise.all(answers)).filter(Boolean).length;
    expect(served).toBeGreaterThan(20);

    for (const client of crowd) client.destroy();
    await eventually(() => expect(backend.open.size).toBe(0));
    const next = Array.from({ length: 10 }, () => scene.client(proxy.port));
    expect(await Promise.all(next.map(answered))).toEqual(next.map(() => true));
    const reasons = Object.keys(await proxy.reasons());
    expect(['finished', 'idle-timeout', 'overloaded', 'client-left', 'client-reset']).toEqual(
      expect.arrayContaining(reasons),
    );
    expect(await proxy.backend()).toMatchObject({ circuit: 'closed' });
  });
});

describe.skipIf(!canLimit)('sluice that holds all the sessions it can (skipped without prlimit)', () => {
  const runsOut = 'out of file descriptors, new clients are turned away: raise ulimit -n';
  const scene = openScene({ wrap: ['prlimit', '--nofile=128:128'], mayLog: [runsOut] });

  it('turns the others away, says why and once, blames no backend, and answers the operator', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({ backends: [backend.address] });
    const crowd = Array.from({ length: 100 }, () => scene.client(proxy.port));
    const answers = await Promise.all(crowd.map(answered));
    const turnedAway = answers.filter((isServed) => !isServed).length;
    expect(turnedAway).toBeGreaterThan(20);

    const status = await proxy.sluice.status();
    expect(status.listeners[proxy.listener]).toMatchObject({ active: 100 - turnedAway, total: 100 });
    expect((await proxy.sluice.ask('/readyz')).code).toBe(200);
    await eventually(() => {
      const lines = proxy.sluice.sessions;
      const leftOut = lines.reduce((sum, line) => sum + Number(line['leftOut'] ?? 0), 0);
      expect(lines.length + leftOut).toBe(turnedAway);
    });
    for (const line of proxy.sluice.sessions) {
      expect(line).toMatchObject({ level: 'warn', reason: 'overloaded', detail: 'Out of file descriptors' });
      expect(line).not.toHaveProperty('backend');
    }
    const told = proxy.sluice.lines.filter(({ msg }) => msg === runsOut);
    expect(told).toMatchObject([{ level: 'error', limit: 128, used: expect.any(Number) }]);
    expect(await proxy.backend()).toMatchObject({ circuit: 'closed', unavailable: null });
  });
});

describe('sluice', () => {
  const scene = openScene({ wrap: collecting(), workers: 1 });

  it('keeps no memory of sessions that are over', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({
      backends: [backend.address],
      more: { log: { sessions: false } },
    });
    const memory: number[] = [];
    for (let round = 1; round <= 5; round++) {
      for (let done = 0; done < sessionsOfRound; done += 50) await visits(proxy, 50);
      await proxy.ended(round * sessionsOfRound);
      memory.push(await leastResidentBytes(proxy));
    }
    // The first two rounds bring what is kept for the next ones.
    const grown = (memory.at(-1) ?? 0) - (memory[1] ?? 0);
    const sessions = (memory.length - 2) * sessionsOfRound;
    expect(grown / sessions, memory.join(' ')).toBeLessThan(1_200);
  });

  async function visits({ port }: Proxied, count: number): Promise<void> {
    const clients = Array.from({ length: count }, () => scene.client(port));
    for (const client of clients) client.end('x'.repeat(1_000));
    await Promise.all(clients.map(ending));
  }
});

describe('sluice that collects no garbage, as nothing happens any more', () => {
  const scene = openScene({ workers: 1 });

  it('gives back what clients held that have left', async () => {
    const hole = await openBlackHole();
    scene.afterwards(() => hole.close());
    const proxy = await scene.proxy({
      backends: [hole.address],
      pool: { connect: { timeout: '4s', retries: 0 }, circuitBreaker: 'off' },
    });
    const bytesEach = 64 * 1024;
    const crowd = 800;
    const allBytes = crowd * bytesEach;
    // Once before it is measured: what the engine compiles for the first crowd is kept for the next ones, 22 to 26 MB
    // on Node 26.
    for (const isMeasured of [false, true]) {
      const before = await leastResidentBytes(proxy);
      const clients = Array.from({ length: crowd }, () => scene.client(proxy.port));
      for (const client of clients) client.write(Buffer.alloc(bytesEach));
      await eventually(() => expect(residentBytes(proxy) - before).toBeGreaterThan(allBytes / 2));
      await eventually(async () => expect(await proxy.active()).toBe(crowd));
      for (const client of clients) client.resetAndDestroy();
      await eventually(async () => expect(await proxy.active()).toBe(0));
      const bound = isMeasured ? allBytes / 4 : allBytes * 0.6;
      await eventually(() => expect(residentBytes(proxy) - before).toBeLessThan(bound), 8_000);
    }
  });
});

const sessionsOfRound = 1_500;

/** Has garbage collected early and whole, as otherwise thousands of sessions leave some before any of it is. */
function collecting(): readonly string[] {
  const whole =
    "data:text/javascript,import{setFlagsFromString}from'node:v8';setFlagsFromString('--gc-global')";
  return ['env', `NODE_OPTIONS=--max-semi-space-size=2 --import=${whole}`];
}

/** Mapped memory too, as far as it was touched. */
function residentBytes({ sluice }: Proxied): number {
  return usage(sluice.pid)?.residentBytes ?? 0;
}

function leastResidentBytes(proxy: Proxied): Promise<number> {
  return leastOf(20, () => residentBytes(proxy));
}

/** Whether the client got its byte back before its connection ended. */
function answered(client: Socket): Promise<boolean> {
  client.write('x');
  return nextText(client).then(
    (text) => text === 'x',
    () => false,
  );
}
