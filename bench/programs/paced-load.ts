/**
 * Keep-alive requests at a rate that does not depend on the answers (an open loop), so that a slow answer
 * delays no later request out of the record. Every millisecond or so, what is due is sent, each on a
 * connection that waits for no answer; where all wait, a request queues here and its latency counts from the
 * moment it was due. (autocannon's own rate sends each second's requests in one burst at its beginning.)
 */
import { connect } from 'node:net';
import { Latencies } from './latencies.ts';
import { type LoadResult, program, seconds } from './program.ts';

export interface PacedJob {
  readonly port: number;
  readonly connections: number;
  readonly perSecond: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

const request = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const answerEnds = '\r\n\r\nHello, world\n';

program<PacedJob, LoadResult>(async (job, measured) => {
  let latencies = new Latencies();
  let errors = 0;
  /** Sends on one idle connection; `sinceMs` is when its latency began. */
  const idle: ((sinceMs: number) => void)[] = [];
  /** When each request was due that no connection was idle for. */
  const queued: number[] = [];

  for (let opened = 0; opened < job.connections; opened++) {
    const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true });
    let sinceMs = 0;
    const send = (dueMs: number): void => {
      sinceMs = dueMs;
      socket.write(request);
    };
    socket.on('connect', () => idle.push(send));
    socket.on('data', (chunk) => {
      if (!chunk.includes(answerEnds)) return;
      latencies.record((performance.now() - sinceMs) * 1000);
      const next = queued.shift();
      if (next === undefined) idle.push(send);
      else send(next);
    });
    socket.on('close', () => errors++);
    socket.on('error', () => {});
  }

  const startMs = performance.now();
  let sent = 0;
  const ticker = setInterval(() => {
    const nowMs = performance.now();
    for (const due = ((nowMs - startMs) * job.perSecond) / 1000; sent < due; sent++) {
      const send = idle.pop();
      if (send === undefined) queued.push(nowMs);
      else send(nowMs);
    }
  }, 1);

  await seconds(job.warmSeconds);
  await measured();
  latencies = new Latencies();
  await seconds(job.seconds);
  clearInterval(ticker);
  return { units: latencies.count, errors, latencyUs: latencies.percentiles() };
});
