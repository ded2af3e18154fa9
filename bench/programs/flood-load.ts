/**
 * Keep-alive requests over TLS at a steady rate, first by themselves, then beside a flood of handshakes (`flood.ts`).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FloodOrder } from './flood.ts';
import { Latencies } from './latencies.ts';
import { PacedRequests, type PacedRequestsJob } from './paced-requests.ts';
import { type LoadResult, program, seconds } from './program.ts';

export interface FloodJob extends PacedRequestsJob {
  /** Of the flood, at a time. */
  readonly handshakes: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

program<FloodJob, LoadResult>(async (job, measured) => {
  const requests = new PacedRequests({ ...job, tls: true });
  await seconds(job.warmSeconds);
  requests.latencies = new Latencies();
  await seconds(job.seconds);
  const quiet = requests.latencies.percentiles();

  const flood = fork(fileURLToPath(new URL('flood.js', import.meta.url)));
  const order: FloodOrder = { port: job.port, handshakes: job.handshakes };
  flood.send(order);
  await seconds(job.warmSeconds);
  await measured();
  requests.latencies = new Latencies();
  const answeredBefore = await answeredBy(flood);
  await seconds(job.seconds);
  requests.stop();
  const { latencies, errors } = requests;
  const own = { quietP99Us: quiet.p99, handshakes: (await answeredBy(flood)) - answeredBefore };
  return { units: latencies.count, errors, latencyUs: latencies.percentiles(), own };
});

async function answeredBy(flood: ChildProcess): Promise<number> {
  flood.send('how many');
  const [answered] = (await once(flood, 'message')) as [number];
  return answered;
}
