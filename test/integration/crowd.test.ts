/**
 * A crowd that is refused takes few descriptors, however many wait to be accepted. These wait because the process is
 * stopped: the system completes their handshakes meanwhile, and it finds them all at once when it goes on.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { named } from '../support/backends.ts';
import { openScene } from './scene.ts';

const scene = openScene({ workers: 1 });
const crowd = 1_000;

it.runIf(process.platform === 'linux').each(['close', 'reset'])(
  'A listener that refuses by %s takes few descriptors for a crowd',
  async (refuseWith) => {
    const backend = await scene.backend(named('ok'));
    const limits = { maxConnections: 10 };
    const proxy = await scene.proxy({ backends: [backend.address], listener: { limits, refuseWith } });
    scene.sluice.signal('SIGSTOP');
    const clients = Array.from({ length: crowd }, () => scene.client(proxy.port));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    scene.sluice.signal('SIGCONT');
    expect(await proxy.ended(crowd - 10)).toEqual({ 'listener-full': crowd - 10 });
    expect(mostDescriptors(scene.sluice.pid)).toBeLessThanOrEqual(512);
  },
);

/** A power of two: the table of a process's descriptors grows so and never shrinks (FDSize in proc_pid_status(5)). */
function mostDescriptors(pid: number): number {
  return Number(/^FDSize:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}
