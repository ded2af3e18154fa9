/**
 * Thousands of unruly connections through the driver alone, in a thread of its own. Whatever came through must be
 * what was sent; then nothing may be left: no link, buffer or socket. The same through the whole product is
 * in test/integration/torture.test.ts.
 */
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { eventually, inTime } from '../../conformance/peers.ts';
import { openSockets, Rig } from '../../conformance/rig.ts';
import { seeded } from '../../support/seeded.ts';
import { misbehave } from '../../support/unruly.ts';

const connections = Number(process.env['SLUICE_TORTURE'] ?? 3_000);
const atOnce = 100;
const reason = whyNot();

test.runIf(reason === undefined)(
  `Uring driver keeps streams whole and leaves nothing behind after ${connections} unruly connections`,
  { timeout: 30_000 + connections * 20 },
  async () => {
    const seed = Number(process.env['SLUICE_SEED'] ?? randomInt(2 ** 31));
    const claim = `seed ${seed}`;
    const rig = await Rig.start('uring');
    const socketsBefore = openSockets();
    const broken: string[] = [];
    const complain = (what: string): void => void broken.push(what);
    let served = 0;
    await rig.backend((socket) => void misbehave(socket, seeded(seed ^ ++served), complain));
    const address = await rig.listen();
    let begun = 0;
    const visitor = async (): Promise<void> => {
      while (begun < connections) {
        const number = ++begun;
        const client = await rig.client(address);
        await inTime(misbehave(client, seeded(seed + number * 7_919), complain), `end (${claim})`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, visitor));
    await rig.until(`every link ended (${claim})`, () => rig.openLinks === 0);
    expect(broken, claim).toEqual([]);
    expect(await rig.ask({ what: 'held' }), claim).toEqual({ links: 0, buffers: 0 });
    await rig.closeDriver();
    expect(rig.violations, claim).toEqual([]);
    await rig.dispose();
    await eventually(`sockets are back where they were (${claim})`, () => openSockets() === socketsBefore);
  },
);
