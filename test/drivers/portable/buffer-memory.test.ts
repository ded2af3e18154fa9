/**
 * What stalled peers make the driver hold. How much is resident for them then:
 * test/integration/stalled-readers.test.ts.
 */
import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Address } from '../../../src/core/contract.ts';
import { inTime } from '../../conformance/peers.ts';
import { fill, stalled } from '../../conformance/resets.ts';
import { Rig } from '../../conformance/rig.ts';

let rig: Rig;

afterEach(async () => {
  await rig.dispose();
  expect(rig.violations).toEqual([]);
});

const MiB = 1024 * 1024;

/** Clients of a fast download that read nothing of it. */
async function stalledReaders(address: Address): Promise<void> {
  for (let number = 0; number < 150; number++) (await rig.client(address)).pause();
  await stalled(() => rig.bytesToClient, 40_000);
}

test('Stalled readers hold no more than the bound, and others are served beside them', async () => {
  rig = await Rig.start('portable', { bufferBytes: 4 * MiB });
  const address = await rig.listen();
  await rig.backend(fill);
  await stalledReaders(address);
  let waitingBytes = 0;
  for (let number = 0; number < 150; number++) {
    const { link } = await rig.event('accepted');
    waitingBytes += await rig.ask<number>({ what: 'waitingBytes', link });
  }
  expect(waitingBytes).toBeLessThan(5 * MiB);
  await rig.backend((socket) => socket.pipe(socket));
  const client = await rig.client(address);
  const echoed = countBytes(client, 3 * MiB);
  client.write(Buffer.alloc(3 * MiB, 'x'));
  expect(await inTime(echoed, 'echo')).toBe(3 * MiB);
}, 60_000);

test('Clients that wait hold nothing more once the bound is near, and go on later', async () => {
  rig = await Rig.start('portable', { bufferBytes: MiB });
  const address = await rig.listen();
  const clients: Socket[] = [];
  for (let number = 0; number < 300; number++) {
    const client = await rig.client(address);
    client.write(Buffer.alloc(60 * 1024, 'x'));
    clients.push(client);
  }
  await rig.event('exhausted');
  const links: number[] = [];
  for (let number = 0; number < 300; number++) links.push((await rig.event('accepted')).link);
  let heldBytes = 0;
  for (const link of links) heldBytes += await rig.ask<number>({ what: 'waitingBytes', link });
  expect(heldBytes).toBeLessThan(3 * MiB);
  const target = await rig.backend((socket) => socket.pipe(socket));
  for (const link of links) rig.dial(link, target);
  const echoed = clients.map((client) => countBytes(client, 60 * 1024));
  const counts = await inTime(Promise.all(echoed), 'echoes');
  expect(new Set(counts)).toEqual(new Set([60 * 1024]));
}, 60_000);

/** How much came until it was so much, or the end. */
function countBytes(client: Socket, wanted: number): Promise<number> {
  let bytes = 0;
  return new Promise((resolve) => {
    client.on('close', () => resolve(bytes));
    client.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes >= wanted) resolve(bytes);
    });
  });
}
