/** Sends a message on each connection, waits until all of it came back, and sends the next on those that talk. */
import { connect } from 'node:net';
import { Latencies } from './latencies.ts';
import { type LoadResult, program, seconds } from './program.ts';

export interface PingPongJob {
  readonly port: number;
  readonly connections: number;
  /** So many of them send more than one message. */
  readonly talking: number;
  readonly messageBytes: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

/** Few enough for any accept queue. */
const atATime = 100;

program<PingPongJob, LoadResult>(async (job, measured) => {
  let latencies = new Latencies();
  let errors = 0;
  // The backend echoes whatever begins with this letter.
  const message = Buffer.alloc(job.messageBytes, 'E');

  const player = (talks: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      let sinceMs = 0;
      let missing = 0;
      const serve = (): void => {
        sinceMs = performance.now();
        missing = message.length;
        socket.write(message);
      };
      const socket = connect({
        port: job.port,
        host: '127.0.0.1',
        noDelay: true,
        // One buffer for all reads: the load should cost as little as it can.
        onread: {
          buffer: Buffer.alloc(message.length),
          callback(count) {
            missing -= count;
            if (missing > 0) return true;
            latencies.record((performance.now() - sinceMs) * 1000);
            resolve();
            if (talks) serve();
            return true;
          },
        },
      });
      socket.on('connect', serve);
      socket.on('error', reject);
      socket.on('close', () => {
        errors++;
        reject(new Error('The connection was closed before its message came back'));
      });
    });

  for (let opened = 0; opened < job.connections; opened += atATime) {
    const more = Math.min(atATime, job.connections - opened);
    await Promise.all(Array.from({ length: more }, (_, index) => player(opened + index < job.talking)));
  }
  await seconds(job.warmSeconds);
  await measured();
  latencies = new Latencies();
  await seconds(job.seconds);
  return { units: latencies.count, errors, latencyUs: latencies.percentiles() };
});
