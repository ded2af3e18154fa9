/** New connections at a steady rate, whatever becomes of them, each with one request whose whole answer must come. */
import { connect } from 'node:net';
import { Latencies } from './latencies.ts';
import { type LoadResult, program, seconds } from './program.ts';

export interface PacedConnectJob {
  readonly port: number;
  readonly perSecond: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

const request = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';

program<PacedConnectJob, LoadResult>(async (job, measured) => {
  let window = new Window();
  let begun = 0;
  const startMs = performance.now();
  const ticker = setInterval(() => {
    const due = ((performance.now() - startMs) * job.perSecond) / 1000;
    for (; begun < due; begun++) window.add(visit(job.port));
  }, 1);
  await seconds(job.warmSeconds);
  await measured();
  window = new Window();
  await seconds(job.seconds);
  clearInterval(ticker);
  return await window.result();
});

/** The connections that began within it. */
class Window {
  readonly #visits: Promise<number | undefined>[] = [];

  add(visit: Promise<number | undefined>): void {
    this.#visits.push(visit);
  }

  async result(): Promise<LoadResult> {
    const latencies = new Latencies();
    const answered = (await Promise.all(this.#visits)).filter((us) => us !== undefined);
    for (const us of answered) latencies.record(us);
    const errors = this.#visits.length - answered.length;
    return { units: answered.length, errors, latencyUs: latencies.percentiles() };
  }
}

/** How many microseconds it took from connecting to closed; undefined where the answer was not whole. */
function visit(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sinceMs = performance.now();
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(request));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      resolve(answer.endsWith('Hello, world\n') ? (performance.now() - sinceMs) * 1000 : undefined);
    });
  });
}
