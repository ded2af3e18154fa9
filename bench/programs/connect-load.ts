/** A connection for each request: connects, asks, reads to the end, and again, so many at a time. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { clientHello, clientTls, ticket } from './client-tls.ts';
import { Latencies } from './latencies.ts';
import { type LoadResult, program, seconds, warmUp } from './program.ts';

export interface ConnectJob {
  readonly port: number;
  /**
   * `https-resumed` comes back with a ticket each time; `client-hello` sends nothing but the first bytes of a TLS
   * client, which the backend answers in plain.
   */
  readonly speaks: 'http' | 'https' | 'https-resumed' | 'client-hello';
  readonly concurrency: number;
  readonly warmSeconds: number;
  readonly warmUnits: number;
  readonly seconds: number;
}

const request = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');

program<ConnectJob, LoadResult>(async (job, measured) => {
  const firstBytes = job.speaks === 'client-hello' ? await clientHello() : request;
  const session = job.speaks === 'https-resumed' ? await ticket(job.port) : undefined;
  let latencies = new Latencies();
  let errors = 0;
  const errorKinds = new Map<string, number>();
  let going = true;

  const next = (): void => {
    if (!going) return;
    const sinceMs = performance.now();
    let answered = false;
    let kind = 'closed without an answer';
    const socket = opened(job, session, () => {
      const isAsWanted = session === undefined || (socket as TLSSocket).isSessionReused();
      if (isAsWanted) return void socket.write(firstBytes);
      kind = 'not resumed';
      socket.destroy();
    });
    socket.on('data', () => {
      answered = true;
    });
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

  await warmUp(job.warmSeconds, job.warmUnits, () => latencies.count);
  await measured();
  latencies = new Latencies();
  await seconds(job.seconds);
  going = false;
  const kinds = Object.fromEntries(errorKinds);
  return { units: latencies.count, errors, errorKinds: kinds, latencyUs: latencies.percentiles() };
});

function opened({ port, speaks }: ConnectJob, session: Buffer | undefined, then: () => void): Socket {
  const to = { port, host: '127.0.0.1', noDelay: true };
  const isTls = speaks === 'https' || speaks === 'https-resumed';
  return isTls ? connectTls({ ...to, ...clientTls, ...(session && { session }) }, then) : connect(to, then);
}
