import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUringDriver, type UringDriver } from '../../../src/drivers/uring/driver.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { echo, inTime, pause, readAll, readBytes } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';

const few = { small: 32, large: 2, reserve: 64 };
const greedySessions = 24;
/** More than the kernel's own buffers take along the way. */
const greedyBytes = 12 * 1024 * 1024;

describe.skipIf(whyNot() !== undefined)('Buffers of the uring driver', () => {
  let rig: Rig;
  let driver: UringDriver;

  beforeEach(() => {
    rig = new Rig((host) => {
      driver = createUringDriver(host, 'event-loop', undefined, few);
      return driver;
    });
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
    await stillness(() => rig.bytesToClient);
    expect(driver.held.buffers).toBeGreaterThan(few.small / 2);

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
    await rig.until('every session ended', () => rig.openSessions === 0);
    expect(driver.held).toEqual({ sessions: 0, connections: 0, buffers: 0 });
  });

  it('hold many small messages of a client that waits densely', async () => {
    const target = await rig.backend(echo);
    rig.target = undefined;
    const client = await rig.client(await rig.listen());
    const { session } = await rig.event('accepted');
    let sent = '';
    for (let messages = 0; messages < 300; messages++) {
      const message = `${messages} `;
      sent += message;
      client.write(message);
      await new Promise(setImmediate);
    }
    await stillness(() => driver.held.buffers);
    expect(driver.held.buffers).toBe(1);
    rig.dial(session, target);
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

/** Fulfils once a figure has stayed the same over many looks. */
async function stillness(figure: () => number): Promise<void> {
  for (let last = Number.NaN, same = 0; same < 20; ) {
    await pause(10);
    same = figure() === last ? same + 1 : 0;
    last = figure();
  }
}
