/** Who gets large buffers while many stop reading: whoever has one holds all of it. */
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { boundsOf, largeBytes } from '../../../src/drivers/uring/buffers.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { eventually } from '../../conformance/peers.ts';
import { fill, stalled } from '../../conformance/resets.ts';
import { Rig } from '../../conformance/rig.ts';

const MiB = 1024 * 1024;
const bufferBytes = 64 * MiB;

describe.skipIf(whyNot() !== undefined)('Large buffers of the uring driver', () => {
  let rig: Rig;

  afterEach(() => rig.dispose());

  it('are left to readers that read, however many others never did', async () => {
    const { large } = boundsOf(bufferBytes);
    expect(large).toBe(4);
    rig = await Rig.start('uring', { bufferBytes });
    await rig.backend(fill);
    const address = await rig.listen();
    for (let number = 0; number < 8; number++) (await rig.client(address)).pause();
    await stalled(() => rig.bytesToClient);
    await eventually('some are left', () => rig.bytesInBuffers < large * largeBytes);

    // One that reads at first, and then holds what it was given last.
    await readSome(await rig.client(address), 64 * MiB);
    await eventually('it has a large one too', () => rig.bytesInBuffers >= 3 * largeBytes);
  }, 60_000);
});

/** Reads so many bytes, and then no more. */
function readSome(client: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let read = 0;
    client.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read < bytes) return;
      client.pause();
      resolve();
    });
  });
}
