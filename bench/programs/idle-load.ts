/** Opens connections, exchanges one byte on each, and holds them open without another one. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { clientTls } from './client-tls.ts';
import { type LoadResult, program } from './program.ts';

export interface IdleJob {
  readonly port: number;
  readonly tls: boolean;
  readonly connections: number;
}

/** Few enough for any accept queue. */
const atATime = 100;

program<IdleJob, LoadResult>(async (job, measured) => {
  // What the first connections make a proxy load or allocate once is no cost of a connection.
  await Promise.all(Array.from({ length: atATime }, () => exchange(job)));
  await measured();
  for (let opened = 0; opened < job.connections; opened += atATime) {
    await Promise.all(Array.from({ length: atATime }, () => exchange(job)));
  }
  return { units: job.connections, errors: closed };
});

/** Connections that did not stay open. */
let closed = 0;

function exchange({ port, tls }: IdleJob): Promise<void> {
  return new Promise((resolve, reject) => {
    const to = { port, host: '127.0.0.1' };
    const opened = (): void => void socket.write('E');
    const socket: Socket = tls ? connectTls({ ...to, ...clientTls }, opened) : connect(to, opened);
    socket.once('data', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => {
      closed++;
      reject(new Error('The connection was closed before its byte came back'));
    });
  });
}
