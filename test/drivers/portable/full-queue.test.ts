import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { inTime } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';

/** A server whose thread sleeps, so that its queue fills up, until it is woken. */
const sleepyServer = `
  const { createServer } = require('node:net');
  const { parentPort, workerData: { path, isAwake } } = require('node:worker_threads');
  const server = createServer((socket) => socket.resume().on('error', () => {}));
  server.listen({ path, backlog: 1 }, () => {
    parentPort.postMessage('listening');
    setImmediate(() => Atomics.wait(isAwake, 0, 0));
  });
  parentPort.on('message', () => process.exit());
`;

test('Driver waits for a unix backend whose queue is full', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
  const path = join(directory, 'backend');
  const isAwake = new Int32Array(new SharedArrayBuffer(4));
  const server = new Worker(sleepyServer, { eval: true, workerData: { path, isAwake } });
  await inTime(once(server, 'message'), 'server');
  const rig = await Rig.start('portable');
  try {
    const address = await rig.listen();
    rig.target = { path };
    const clients = [];
    for (let number = 0; number < 12; number++) clients.push(await rig.client(address));
    // The queue takes two; a third dial that is aborted is over at once.
    await rig.until('a full queue', () => rig.count('accepted') === 12 && rig.count('connected') === 2);
    const held = rig.openLinks;
    clients.pop()?.resetAndDestroy();
    await rig.until('a client that has left', () => rig.openLinks < held);
    expect(rig.count('connect-failed')).toBe(0);
    Atomics.store(isAwake, 0, 1);
    Atomics.notify(isAwake, 0);
    await rig.until('all dials done', () => rig.count('connected') === 11);
    expect(rig.count('connect-failed')).toBe(0);
  } finally {
    Atomics.store(isAwake, 0, 1);
    Atomics.notify(isAwake, 0);
    await rig.dispose();
    await server.terminate();
    await rm(directory, { recursive: true });
  }
  expect(rig.violations).toEqual([]);
});
