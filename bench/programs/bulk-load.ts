/** One connection as fast as it goes, in one direction; the units are bytes. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { clientTls } from './client-tls.ts';
import { type LoadResult, program, seconds } from './program.ts';

export interface BulkJob {
  readonly port: number;
  readonly tls: boolean;
  readonly direction: 'download' | 'upload';
  readonly warmSeconds: number;
  readonly seconds: number;
}

const block = Buffer.alloc(256 * 1024, 'sluice ');

program<BulkJob, LoadResult>(async (job, measured) => {
  let bytes = 0;
  let errors = 0;
  const options = {
    port: job.port,
    host: '127.0.0.1',
    // One buffer for all reads: the load should cost as little as it can.
    onread: {
      buffer: Buffer.alloc(block.length),
      callback: (count: number) => {
        bytes += count;
        return true;
      },
    },
  };
  const socket = job.tls ? connectTls({ ...options, ...clientTls }) : connect(options);
  socket.on('error', () => errors++);
  socket.on('close', () => errors++);

  if (job.direction === 'download') {
    // More than any machine moves in the time: it is ended by the clock.
    socket.write(`D${Number.MAX_SAFE_INTEGER}\n`);
  } else {
    socket.write('U');
    const more = (): void => {
      bytes += block.length;
      socket.write(block, more);
    };
    // Two blocks on their way, so that one is always at hand when the kernel has room.
    more();
    more();
  }

  await seconds(job.warmSeconds);
  await measured();
  const before = bytes;
  await seconds(job.seconds);
  return { units: bytes - before, errors };
});
