/**
 * Unruly connections whose first bytes are looked at, forgotten in part and announced again: what goes ahead of each
 * join is the head of the stream that is left, so that a backend can check it like any other.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, writeSync } from 'node:fs';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { connect, inTime, listenOn, pause } from '../../conformance/peers.ts';
import { seeded } from '../../support/seeded.ts';
import { threadEntry } from '../../support/thread-entry.ts';
import { misbehave } from '../../support/unruly.ts';
import type { Report, Task } from './inspecting-thread.ts';

const connections = Number(process.env['SLUICE_TORTURE'] ?? 2_000);
const atOnce = 100;
const reason = whyNot();

test.runIf(reason === undefined)(
  `Uring driver keeps ${connections} unruly connections whole while they are inspected`,
  { timeout: 30_000 + connections * 20 },
  async () => {
    const seed = Number(process.env['SLUICE_SEED'] ?? randomInt(2 ** 31));
    const claim = `seed ${seed}`;
    const broken: string[] = [];
    const complain = (what: string): void => void broken.push(what);
    let served = 0;
    const backend = net.createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => void misbehave(socket, seeded(seed ^ ++served), complain),
    );
    const task: Task = { target: await listenOn(backend, { host: '127.0.0.1', port: 0 }), seed: ~seed };
    const entry = threadEntry(new URL('./inspecting-thread.ts', import.meta.url));
    const thread = new Worker(entry, { workerData: task });
    const [{ address, wakeFd }] = await inTime(once(thread, 'message'), 'thread');
    const report = async (): Promise<Report> => {
      thread.postMessage('report');
      writeSync(wakeFd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
      const [answer] = await inTime(once(thread, 'message'), 'report');
      return answer;
    };
    let begun = 0;
    const visitor = async (): Promise<void> => {
      while (begun < connections) {
        const number = ++begun;
        const client = (await connect(address)).on('error', () => {});
        await inTime(misbehave(client, seeded(seed + number * 7_919), complain), `end (${claim})`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, visitor));
    let last = await report();
    for (let looks = 0; looks < 1_000 && last.held.links > 0; looks++) {
      await pause(5);
      last = await report();
    }
    expect(broken, claim).toEqual([]);
    expect(last, claim).toMatchObject({ broken: [], held: { links: 0, buffers: 0 } });
    expect(last.dials, claim).toBeGreaterThan(connections / 3);
    backend.close();
    await thread.terminate();
    closeSync(wakeFd);
  },
);
