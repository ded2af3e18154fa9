import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createUringDriver } from '../../../src/drivers/uring/driver.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { fill, stalled } from '../../conformance/resets.ts';
import { Rig } from '../../conformance/rig.ts';

const runs = whyNot() === undefined;
const newRig = () => new Rig((host) => createUringDriver(host, 'event-loop'));

test.runIf(runs)('Uring driver notices that a client resets which it has stopped to read', async () => {
  const rig = newRig();
  const { client, backend } = await rig.pair();
  backend.pause();
  await fillUp(client);
  client.resetAndDestroy();
  expect(await rig.event('ended')).toMatchObject({ how: 'client-reset' });
  await rig.dispose();
});

test.runIf(runs)('Uring driver notices that a backend resets which it has stopped to read', async () => {
  const rig = newRig();
  const { client, backend } = await rig.pair();
  client.pause();
  await fillUp(backend);
  backend.resetAndDestroy();
  expect(await rig.event('ended')).toMatchObject({ how: 'backend-reset' });
  await rig.dispose();
});

test.runIf(runs)('Uring driver notices that a client resets of which it holds all that it may', async () => {
  const rig = newRig();
  const client = await rig.client(await rig.listen());
  await fillUp(client);
  client.resetAndDestroy();
  expect(await rig.event('ended')).toMatchObject({ how: 'client-reset' });
  await rig.dispose();
});

/** Sends until nothing more is taken. */
async function fillUp(socket: Socket): Promise<void> {
  fill(socket);
  await stalled(() => socket.bytesWritten - socket.writableLength);
}
