/** Downloads so many bytes, and stops reading for a while again and again. */
import { connect } from 'node:net';
import { type LoadResult, program, seconds } from './program.ts';

export interface SlowReaderJob {
  readonly port: number;
  readonly bytes: number;
  /** It stops each time that it has read so many bytes … */
  readonly stallEveryBytes: number;
  /** … for so long. */
  readonly stallSeconds: number;
}

program<SlowReaderJob, LoadResult>(async (job, measured) => {
  await measured();
  let bytes = 0;
  const socket = connect({ port: job.port, host: '127.0.0.1' });
  socket.write(`D${job.bytes}\n`);
  for await (const chunk of socket) {
    const stalls = Math.floor(bytes / job.stallEveryBytes);
    bytes += chunk.length;
    if (Math.floor(bytes / job.stallEveryBytes) > stalls) await seconds(job.stallSeconds);
  }
  if (bytes !== job.bytes) throw new Error(`Expected ${job.bytes} bytes, ${bytes} came`);
  return { units: bytes, errors: 0 };
});
