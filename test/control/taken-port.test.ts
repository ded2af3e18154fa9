import { once } from 'node:events';
import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { refuseTakenPort } from '../../src/control/bind-error.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';

async function listening(): Promise<{ readonly server: net.Server; readonly port: number }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a port');
  return { server, port: address.port };
}

test.runIf(whyNot() === undefined)(
  'refuseTakenPort lets no client connect, whom it would reset',
  async () => {
    const port = await freePort();
    const connected = new Int32Array(new SharedArrayBuffer(4));
    // Of a thread of its own, or it could not come while this one is about it.
    const visitor = new Worker(visits, { eval: true, workerData: { port, connected } });
    await once(visitor, 'message');
    for (let time = 0; time < 300; time++) {
      await refuseTakenPort({ host: '127.0.0.1', port });
      await setImmediate();
    }
    await visitor.terminate();
    expect(connected[0]).toBe(0);
  },
);

const visits = `
  const net = require('node:net');
  const { parentPort, workerData: { port, connected } } = require('node:worker_threads');
  function visit() {
    const client = net.connect(port, '127.0.0.1', () => {
      connected[0]++;
      client.destroy();
    });
    client.on('error', () => {}).on('close', visit);
  }
  visit();
  parentPort.postMessage('under way');
`;

test.each(['127.0.0.1', '0.0.0.0', '::'])(
  'refuseTakenPort refuses %s where somebody listens',
  async (host) => {
    const { server, port } = await listening();
    await expect(refuseTakenPort({ host, port })).rejects.toThrow('EADDRINUSE');
    server.close();
    await expect(refuseTakenPort({ host, port: 0 })).resolves.toBeUndefined();
  },
);
