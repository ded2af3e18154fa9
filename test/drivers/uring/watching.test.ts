import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { fill, stalled } from '../../conformance/resets.ts';
import { Rig } from '../../conformance/rig.ts';

describe.skipIf(whyNot() !== undefined)('Uring driver', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.start('uring');
  });

  afterEach(() => rig.dispose());

  test('notices that a client resets which it has stopped to read', async () => {
    const { client, backend } = await rig.pair();
    backend.pause();
    await fillUp(client);
    client.resetAndDestroy();
    expect(await rig.event('closed')).toMatchObject({ end: 'reset-by-peer' });
  });

  test('notices that a backend resets which it has stopped to read', async () => {
    const { client, backend } = await rig.pair();
    client.pause();
    await fillUp(backend);
    backend.resetAndDestroy();
    expect(await rig.event('closed')).toMatchObject({ end: 'reset-by-peer' });
  });

  test('notices that a client resets of which it holds all that it may', async () => {
    const client = await rig.client(await rig.listen());
    await fillUp(client);
    client.resetAndDestroy();
    expect(await rig.event('over')).toMatchObject({ client: 'reset-by-peer' });
  });
});

/** Sends until nothing more is taken. */
async function fillUp(socket: Socket): Promise<void> {
  fill(socket);
  await stalled(() => socket.bytesWritten - socket.writableLength);
}
