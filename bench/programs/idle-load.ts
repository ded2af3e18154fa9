/** Opens connections, exchanges one byte on each, and holds them open without another one. */
import { connect } from 'node:net';
import { type LoadResult, program } from './program.ts';

export interface IdleJob {
  readonly port: number;
  readonly connections: number;
}

/** Few enough for any accept queue. */
const atATime = 100;

program<IdleJob, LoadResult>(async (job, measured) => {
  // What the first connections make a proxy load or allocate once is no cost of a connection.
  await Promise.all(Array.from({ length: atATime }, () => exchange(job.port)));
  await measured();
  for (let opened = 0; opened < job.connections; opened += atATime) {
    await Promise.all(Array.from({ length: atATime }, () => exchange(job.port)));
  }
  return { units: job.connections, errors: closed };
});

/** Connections that did not stay open. */
let closed = 0;

function exchange(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('E'));
    socket.once('data', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => {
      closed++;
      reject(new Error('The connection was closed before its byte came back'));
    });
  });
}
