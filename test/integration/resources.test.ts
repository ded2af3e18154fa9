import { spawnSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { usage } from '../../bench/stage/usage.ts';
import { echo, ending, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene } from './scene.ts';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

describe.skipIf(!canLimit)('sluice out of descriptors (skipped without prlimit)', () => {
  const scene = openScene({ wrap: ['prlimit', '--nofile=128:128'] });

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
    const before = usage(pid)?.cpuNs ?? 0;
    const beganMs = performance.now();
    await Promise.race(crowd.map((client) => new Promise((resolve) => client.once('end', resolve))));
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

describe('sluice', () => {
  const scene = openScene();

  it('is as small after 2,000 sessions as after 200', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({ backends: [backend.address] });
    const visits = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 50) {
        await Promise.all(
          Array.from({ length: 50 }, () => {
            const client = scene.client(proxy.port);
            client.end('x'.repeat(1_000));
            return ending(client);
          }),
        );
      }
    };
    await visits(200);
    const before = usage(proxy.sluice.pid)?.residentBytes ?? 0;
    await visits(1_800);
    await proxy.ended(2_000);
    const grownMiB = ((usage(proxy.sluice.pid)?.residentBytes ?? 0) - before) / (1 << 20);
    expect(grownMiB).toBeLessThan(40);
  });
});

/** Whether the client got its byte back before its connection ended. */
function answered(client: Socket): Promise<boolean> {
  client.write('x');
  return nextText(client).then(
    (text) => text === 'x',
    () => false,
  );
}
