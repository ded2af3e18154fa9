/** Keep-alive requests at a steady rate. */

import { Latencies } from './latencies.ts';
import { PacedRequests, type PacedRequestsJob } from './paced-requests.ts';
import { type LoadResult, program, seconds } from './program.ts';

export interface PacedJob extends PacedRequestsJob {
  readonly warmSeconds: number;
  readonly seconds: number;
}

program<PacedJob, LoadResult>(async (job, measured) => {
  const requests = new PacedRequests(job);
  await seconds(job.warmSeconds);
  await measured();
  requests.latencies = new Latencies();
  await seconds(job.seconds);
  requests.stop();
  const { latencies, errors } = requests;
  return { units: latencies.count, errors, latencyUs: latencies.percentiles() };
});
