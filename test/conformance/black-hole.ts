/** An address that answers no SYN, or a unix socket whose owner hangs: a thread listens there, its queue is full, and it never accepts. */
import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Address } from '../../src/core/contract.ts';
import { inTime } from './peers.ts';

export interface BlackHole {
  readonly address: Address;
  close(): Promise<void>;
}

export async function blackHole(where: Address = { host: '127.0.0.1', port: 0 }): Promise<BlackHole> {
  const worker = new Worker(listenAndSleep, { eval: true, workerData: { ...where, backlog: 1 } });
  const [port]: unknown[] = await inTime(once(worker, 'message'), 'the black hole');
  if ('host' in where && typeof port !== 'number') throw new Error('The black hole has no port');
  const address = typeof port === 'number' ? { host: '127.0.0.1', port } : where;
  // The kernel queues one more than the backlog of 1; a third connection finds the queue full.
  const queued = [net.connect(address), net.connect(address)];
  await inTime(Promise.all(queued.map((socket) => once(socket, 'connect'))), 'a full queue');
  return {
    address,
    async close() {
      for (const socket of queued) socket.on('error', () => {}).destroy();
      await worker.terminate();
    },
  };
}

const listenAndSleep = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen(workerData, () => {
    parentPort.postMessage(server.address().port);
    // The message leaves before the thread goes to sleep for good, as far as its event loop is concerned.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  });
`;
