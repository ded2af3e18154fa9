import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundsOf } from '../../../src/drivers/uring/buffers.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { echo, inTime, pause, readAll, readBytes } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';

const bufferBytes = 2 * 1024 * 1024;
const greedySessions = 24;
/** More than the kernel's own buffers take along the way. */
const greedyBytes = 12 * 1024 * 1024;

describe.skipIf(whyNot() !== undefined)('Buffers of the uring driver', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.start('uring', { bufferBytes });
  });

  afterEach(() => rig.dispose());

  it('are left for those who read, however many are held by those who do not', async () => {
    await rig.backend((socket) => {
      socket.once('data', (first: Buffer) => {
        if (first.toString() === 'more') return void pour(socket);
        socket.write('pong');
        echo(socket);
      });
    });
    const address = await rig.listen();
    const before = await rig.client(address);
    const greedy = await Promise.all(Array.from({ length: greedySessions }, () => rig.client(address)));
    for (const client of greedy) client.pause().write('more');
    await settled(rig);
    expect(await buffersInUse(rig)).toBeGreaterThan(boundsOf(bufferBytes).small / 2);

    const after = await rig.client(address);
    for (const healthy of [before, after]) {
      for (let turns = 0; turns < 50; turns++) {
        healthy.write('ping');
        expect(await readBytes(healthy, 4)).toBe(turns === 0 ? 'pong' : 'ping');
      }
    }

    const lengths = await Promise.all(greedy.map(async (client) => (await readAll(client.resume())).length));
    expect(lengths).toEqual(greedy.map(() => greedyBytes));
    for (const client of [before, after, ...greedy]) client.end();
    await rig.until('every link ended', () => rig.openLinks === 0);
    expect(await rig.ask({ what: 'held' })).toEqual({ links: 0, buffers: 0 });
  });

  it('hold many small messages of a client that waits densely', async () => {
    const target = await rig.backend(echo);
    rig.target = undefined;
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    let sent = '';
    for (let messages = 0; messages < 300; messages++) {
      const message = `${messages} `;
      sent += message;
      client.write(message);
      await new Promise(setImmediate);
    }
    await settled(rig);
    expect(await buffersInUse(rig)).toBe(1);
    rig.dial(link, target);
    expect(await readBytes(client, sent.length)).toBe(sent);
    client.end();
  });
});

async function pour(socket: Socket): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < greedyBytes; sent += chunk.length) {
    if (!socket.write(chunk)) await inTime(once(socket, 'drain'), 'drain').catch(() => {});
  }
  socket.end();
}

async function buffersInUse(rig: Rig): Promise<number> {
  const { buffers } = await rig.ask<{ readonly buffers: number }>({ what: 'held' });
  return buffers;
}

/** Fulfils once what is held and what was delivered has stayed the same over many looks. */
async function settled(rig: Rig): Promise<void> {
  for (let last = '', same = 0; same < 20; ) {
    await pause(10);
    const now = `${await buffersInUse(rig)} ${rig.bytesToClient}`;
    same = now === last ? same + 1 : 0;
    last = now;
  }
}
