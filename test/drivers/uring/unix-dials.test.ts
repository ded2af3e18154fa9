/**
 * A unix backend whose queue is full: who is dialed there waits for room, and no thread of the kernel waits with them.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { blackHole } from '../../conformance/black-hole.ts';
import { Rig } from '../../conformance/rig.ts';

const dials = 300;

test.runIf(whyNot() === undefined)(
  'Uring driver waits for room in the queue of a unix backend without a thread for each dial',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
    const path = join(directory, 'backend');
    const hole = await blackHole({ path });
    const rig = await Rig.start('uring');
    try {
      rig.target = { path };
      const address = await rig.listen();
      for (let number = 0; number < dials; number++) await rig.client(address);
      await rig.until('all are accepted', () => rig.count('accepted') === dials);
      expect(await kernelWorkers()).toBe(0);
      expect(rig.count('connect-failed') + rig.count('connected')).toBe(0);
      await hole.close();
      await rm(path, { force: true });
      // They are told as soon as the answer is another. As it ends, the thread may still accept one or two.
      const told = () => rig.count('connect-failed') + rig.count('connected');
      await rig.until('all are told', () => told() === dials);
      expect(rig.count('connected')).toBeLessThan(5);
      expect(await rig.event('connect-failed')).toMatchObject({ why: 'connect-refused' });
    } finally {
      await rig.dispose();
      await rm(directory, { recursive: true });
    }
  },
);

/** io_uring's, of this process. */
async function kernelWorkers(): Promise<number> {
  let workers = 0;
  for (const task of await readdir('/proc/self/task')) {
    const name = await readFile(`/proc/self/task/${task}/comm`, 'utf8').catch(() => '');
    if (name.startsWith('iou-wrk')) workers++;
  }
  return workers;
}
