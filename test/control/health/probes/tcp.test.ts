import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../../bench/stage/free-ports.ts';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline, probe } from '../../../support/probing.ts';

describe('the tcp probe', () => {
  it('passes when the connection stands, and closes with FIN', async () => {
    const server = createServer();
    const address = await listening(server);
    const connected = once(server, 'connection', { signal: deadline() });
    await probe(address, { type: 'tcp' }, deadline());
    const [socket] = await connected;
    socket.resume();
    // `end` is a FIN; a reset would be an error, and fail this.
    await once(socket, 'end', { signal: deadline() });
  });

  it('passes on a unix socket', async () => {
    await probe(await listeningOnPath(createServer()), { type: 'tcp' }, deadline());
  });

  it('passes on IPv6', async () => {
    await probe(await listening(createServer(), '::1'), { type: 'tcp' }, deadline());
  });

  it('fails when the connection is refused', async () => {
    const address = { host: '127.0.0.1', port: await freePort() };
    await expect(probe(address, { type: 'tcp' }, deadline())).rejects.toThrow('Connection refused');
  });

  it('fails when there is no such socket', async () => {
    const path = '/nonexistent/sluice.sock';
    await expect(probe({ path }, { type: 'tcp' }, deadline())).rejects.toThrow('No such socket');
  });

  it('rejects with the reason of a signal that has aborted already', async () => {
    const address = await listening(createServer());
    const signal = AbortSignal.abort(new Error('Timed out after 1 ms'));
    await expect(probe(address, { type: 'tcp' }, signal)).rejects.toThrow('Timed out after 1 ms');
  });

  describe.skipIf(process.platform !== 'linux')('where the accept queue of a unix socket is full', () => {
    it('waits for room', async () => {
      const { path, accept } = await fullQueue();
      const outcome = probe({ path }, { type: 'tcp' });
      // The first try has failed by then: the kernel answers at once.
      await new Promise(setImmediate);
      accept();
      await outcome;
    });

    it('fails when its time is over', async () => {
      const { path } = await fullQueue();
      const late = new AbortController();
      const outcome = expect(probe({ path }, { type: 'tcp' }, late.signal)).rejects.toThrow('Timed out');
      await new Promise(setImmediate);
      late.abort(new Error('Timed out'));
      await outcome;
    });
  });
});

/** A server whose thread sleeps while as many connections as its queue holds wait; it accepts all once it is told. */
async function fullQueue(): Promise<{ readonly path: string; accept(): void }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'socket');
  const wake = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { parentPort, workerData: { path, wake } } = require('node:worker_threads');
     require('node:net').createServer().listen({ path, backlog: 1 }, () => {
       parentPort.postMessage('listening');
       Atomics.wait(wake, 0, 0);
     });`,
    { eval: true, workerData: { path, wake } },
  );
  await once(worker, 'message');
  onTestFinished(async () => {
    accept();
    await worker.terminate();
  });
  const waiting: Socket[] = [];
  onTestFinished(() => waiting.forEach((socket) => void socket.destroy()));
  // One more than the backlog fits; the next finds it full.
  for (let room = true; room; ) {
    const socket = connect({ path });
    waiting.push(socket);
    room = await once(socket, 'connect').then(
      () => true,
      ({ code }) => code !== 'EAGAIN',
    );
  }
  return { path, accept };

  function accept(): void {
    Atomics.store(wake, 0, 1);
    Atomics.notify(wake, 0);
  }
}
