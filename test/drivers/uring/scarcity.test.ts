/** What many clients that wait may take of this driver, and what is left for others. */
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { echo, readBytes } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';
import { settled } from '../../support/eventually.ts';

const MiB = 1024 * 1024;

describe.skipIf(whyNot() !== undefined)(
  'Uring driver whose buffers clients fill that wait for a backend',
  () => {
    let rig: Rig;

    beforeEach(async () => {
      rig = await Rig.start('uring', { bufferBytes: 2 * MiB });
    });

    // Nobody closes the links of those that are dialed for nowhere.
    afterEach(async () => {
      await rig.closeDriver();
      await rig.dispose();
    });

    it('serves those that are joined, and says that memory is short', async () => {
      const { client, backend } = await rig.pair();
      echo(backend);
      rig.target = undefined;
      const address = await rig.listen();
      for (let number = 0; number < 200; number++) (await rig.client(address)).write(Buffer.alloc(64 * 1024));
      await rig.event('exhausted');
      for (let turn = 0; turn < 50; turn++) {
        client.write('ping');
        expect(await readBytes(client, 4)).toBe('ping');
      }
    });

    it('says so again whenever one has ended, while others wait', async () => {
      const address = await rig.listen();
      const clients: Socket[] = [];
      for (let number = 0; number < 200; number++) clients.push(await rig.client(address));
      for (const client of clients) client.write(Buffer.alloc(64 * 1024));
      await rig.event('exhausted');
      for (const client of clients.slice(0, 5)) {
        const before = await settled(() => rig.count('exhausted'));
        client.resetAndDestroy();
        await rig.until('it is said again', () => rig.count('exhausted') > before);
      }
    });

    it('hears those leave that it has no buffer for', async () => {
      const address = await rig.listen();
      const clients: Socket[] = [];
      for (let number = 0; number < 200; number++) clients.push(await rig.client(address));
      for (const client of clients) client.write(Buffer.alloc(64 * 1024));
      await rig.event('exhausted');
      for (const client of clients) client.resetAndDestroy();
      await rig.until('all are over', () => rig.openLinks === 0);
      expect(await held(rig)).toBe(0);
    });

    it('keeps what few bytes many have sent in little memory', async () => {
      const { client, backend } = await rig.pair();
      echo(backend);
      rig.target = undefined;
      const address = await rig.listen();
      rig.set({ inspectsAccepted: true });
      // As many buffers as these are clients would be twice what there is for them.
      for (let number = 0; number < 180; number++) (await rig.client(address)).write('x');
      await rig.until('all have come', () => rig.count('received') === 180);
      expect(rig.count('exhausted')).toBe(0);
      client.write('ping');
      expect(await readBytes(client, 4)).toBe('ping');
    });
  },
);

async function held(rig: Rig): Promise<number> {
  return (await rig.ask<{ readonly buffers: number }>({ what: 'held' })).buffers;
}
