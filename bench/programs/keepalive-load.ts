/** Keep-alive requests as fast as they are answered, from autocannon. */
import autocannon from 'autocannon';
import { clientTls } from './client-tls.ts';
import { Latencies } from './latencies.ts';
import { type LoadResult, program, seconds, warmUp } from './program.ts';

export interface KeepaliveJob {
  readonly port: number;
  readonly tls: boolean;
  readonly connections: number;
  readonly warmSeconds: number;
  readonly warmUnits: number;
  readonly seconds: number;
}

program<KeepaliveJob, LoadResult>(async (job, measured) => {
  let latencies = new Latencies();
  let errors = 0;
  const load = autocannon(
    // It is stopped by the clock below; its own duration is only a bound.
    {
      url: `${job.tls ? 'https' : 'http'}://127.0.0.1:${job.port}/`,
      connections: job.connections,
      duration: 600,
      ...(job.tls && { tlsOptions: clientTls }),
    },
    () => {},
  );
  // autocannon's own histogram counts in milliseconds, this event in fractions of one.
  load.on('response', (_client, statusCode, _bytes, responseTimeMs) => {
    if (statusCode !== 200) errors++;
    latencies.record(responseTimeMs * 1000);
  });
  load.on('reqError', () => {
    errors++;
  });
  await warmUp(job.warmSeconds, job.warmUnits, () => latencies.count);
  await measured();
  latencies = new Latencies();
  await seconds(job.seconds);
  const result = { units: latencies.count, errors, latencyUs: latencies.percentiles() };
  load.stop?.();
  return result;
});
