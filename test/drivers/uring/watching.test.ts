import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { sendUntilStuck } from '../../conformance/back-pressure.ts';
import { readAll } from '../../conformance/peers.ts';
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

  test('knows when a backend last spoke that is gone, while its client has yet to take all of that', async () => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    client.end('question');
    client.pause();
    expect((await readAll(backend)).toString()).toBe('question');
    await sendUntilStuck(backend, () => rig.bytesToClient);
    const beforeMs = rig.now();
    backend.end('the rest');
    await rig.event('closed');
    expect(await rig.ask({ what: 'lastByteMs', link })).toBeGreaterThanOrEqual(beforeMs);
  });
});

/** Sends until nothing more is taken. */
async function fillUp(socket: Socket): Promise<void> {
  fill(socket);
  await stalled(() => socket.bytesWritten - socket.writableLength);
}
