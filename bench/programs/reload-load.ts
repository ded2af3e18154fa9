/** New connections at a steady rate, each with one request whose whole answer must come. */
import { connect } from 'node:net';
import { Latencies } from './latencies.ts';
import { type LoadResult, program } from './program.ts';

export interface ReloadJob {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
}

const request = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';

program<ReloadJob, LoadResult>(async (job, measured) => {
  await measured();
  const latencies = new Latencies();
  const total = job.perSecond * job.seconds;
  const startMs = performance.now();
  let lost = 0;

  const visit = (): Promise<void> =>
    new Promise((resolve) => {
      const sinceMs = performance.now();
      let answer = '';
      const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true }, () =>
        socket.write(request),
      );
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        if (answer.endsWith('Hello, world\n')) latencies.record((performance.now() - sinceMs) * 1000);
        else lost++;
        resolve();
      });
    });

  const visits: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const ticker = setInterval(() => {
      const due = Math.min(total, ((performance.now() - startMs) * job.perSecond) / 1000);
      while (visits.length < due) visits.push(visit());
      if (visits.length < total) return;
      clearInterval(ticker);
      resolve();
    }, 1);
  });
  await Promise.all(visits);
  return { units: latencies.count, errors: lost, latencyUs: latencies.percentiles() };
});
