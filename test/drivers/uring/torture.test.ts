/**
 * Thousands of connections that send, stall, finish and reset at random from a seed, on both sides. Whatever came
 * through must be what was sent, from its beginning; then nothing may be left: no session, slot, buffer or socket.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createUringDriver, type UringDriver } from '../../../src/drivers/uring/driver.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { eventually, inTime, pause } from '../../conformance/peers.ts';
import { openSockets, Rig } from '../../conformance/rig.ts';

const connections = Number(process.env['SLUICE_TORTURE'] ?? 3_000);
const atOnce = 100;
const reason = whyNot();

test.runIf(reason === undefined)(
  `Uring driver keeps streams whole and leaves nothing behind after ${connections} unruly connections`,
  { timeout: 30_000 + connections * 20 },
  async () => {
    const seed = Number(process.env['SLUICE_SEED'] ?? randomInt(2 ** 31));
    const claim = `seed ${seed}`;
    const socketsBefore = openSockets();
    let driver: UringDriver | undefined;
    const rig = new Rig((host) => {
      driver = createUringDriver(host, 'event-loop');
      return driver;
    });
    const broken: string[] = [];
    let served = 0;
    await rig.backend((socket) => void misbehave(socket, dice(seed ^ ++served), served & 0xff, broken));
    const address = await rig.listen();
    let begun = 0;
    const visitor = async (): Promise<void> => {
      while (begun < connections) {
        const number = ++begun;
        const client = await rig.client(address);
        await inTime(misbehave(client, dice(seed + number * 7_919), number & 0xff, broken), `end (${claim})`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, visitor));
    await rig.until(`every session ended (${claim})`, () => rig.openSessions === 0);
    expect(broken, claim).toEqual([]);
    expect(rig.violations, claim).toEqual([]);
    expect(driver?.held, claim).toEqual({ sessions: 0, connections: 0, buffers: 0 });
    await rig.dispose();
    await eventually(`sockets are back where they were (${claim})`, () => openSockets() === socketsBefore);
  },
);

/**
 * Sends a stream that tells by itself what is missing: the n-th byte is n plus a first byte. Reads the other
 * side's, checks it, and does something rude now and then. Fulfils once the socket is closed.
 */
async function misbehave(
  socket: Socket,
  random: () => number,
  start: number,
  broken: string[],
): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let expected: number | undefined;
  socket.on('data', (bytes: Buffer) => {
    expected ??= bytes[0] ?? 0;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== ((expected + i) & 0xff)) {
        broken.push(`byte ${i} of ${bytes.length} is ${bytes[i]}, not ${(expected + i) & 0xff}`);
        break;
      }
    }
    expected = (expected + bytes.length) & 0xff;
    if (random() < 0.02) stallAWhile(socket, random() * 20);
  });
  socket.on('end', () => socket.end());
  // Whatever else happens, it ends.
  const patience = setTimeout(() => socket.resetAndDestroy(), 2_000 + random() * 1_000);
  void closed.then(() => clearTimeout(patience));

  const total = Math.floor(random() < 0.1 ? random() * 2_000_000 : random() * random() * 60_000);
  let sent = 0;
  while (sent < total && !socket.destroyed) {
    const length = Math.min(total - sent, 1 + Math.floor(random() * 100_000));
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = start + sent + i;
    sent += length;
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
    if (random() < 0.02) await pause(random() * 10);
    if (random() < 0.02) socket.resetAndDestroy();
  }
  const leaving = random();
  if (leaving < 0.1) socket.resetAndDestroy();
  else if (leaving < 0.2) socket.destroy();
  else if (!socket.destroyed) socket.end();
  await closed;
}

function stallAWhile(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

/** Tommy Ettinger's mulberry32: 32 bits of state, enough to replay a test from its seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
