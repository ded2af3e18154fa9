/** A connection for each request: connects, asks, reads to the end, and again, so many at a time. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { clientHello, clientTls } from './client-tls.ts';
import { Latencies } from './latencies.ts';
import { type LoadResult, program, seconds } from './program.ts';

export interface ConnectJob {
  readonly port: number;
  /** `client-hello` sends nothing but the first bytes of a TLS client, which the backend answers in plain. */
  readonly speaks: 'http' | 'https' | 'client-hello';
  readonly concurrency: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

const request = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');

program<ConnectJob, LoadResult>(async (job, measured) => {
  const firstBytes = job.speaks === 'client-hello' ? await clientHello() : request;
  let latencies = new Latencies();
  let errors = 0;
  const errorKinds = new Map<string, number>();
  let going = true;

  const next = (): void => {
    if (!going) return;
    const sinceMs = performance.now();
    let answered = false;
    const socket = opened(job, (connected) => connected.write(firstBytes));
    socket.on('data', () => {
      answered = true;
    });
    let kind = 'closed without an answer';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      kind = error.code ?? error.message;
    });
    socket.on('close', () => {
      if (answered) latencies.record((performance.now() - sinceMs) * 1000);
      else {
        errors++;
        errorKinds.set(kind, (errorKinds.get(kind) ?? 0) + 1);
      }
      // A subject that refuses must not make this spin.
      if (answered) next();
      else setTimeout(next, 10);
    });
  };
  for (let running = 0; running < job.concurrency; running++) next();

  await seconds(job.warmSeconds);
  await measured();
  latencies = new Latencies();
  await seconds(job.seconds);
  going = false;
  const kinds = Object.fromEntries(errorKinds);
  return { units: latencies.count, errors, errorKinds: kinds, latencyUs: latencies.percentiles() };
});

function opened({ port, speaks }: ConnectJob, then: (socket: Socket) => void): Socket {
  const to = { port, host: '127.0.0.1', noDelay: true };
  const socket: Socket =
    speaks === 'https'
      ? connectTls({ ...to, ...clientTls }, () => then(socket))
      : connect(to, () => then(socket));
  return socket;
}
