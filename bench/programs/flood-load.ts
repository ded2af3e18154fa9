/**
 * Keep-alive requests over TLS at a steady rate, first by themselves, then beside a flood of handshakes. A client of the
 * flood sends a hello, waits for the answer, for which the server has to sign, and leaves: that costs it far less than
 * the server, as with those who mean harm.
 */
import { connect } from 'node:net';
import { clientHello } from './client-tls.ts';
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

  const hello = await clientHello();
  for (let running = 0; running < job.handshakes; running++) shake(job.port, hello);
  await seconds(job.warmSeconds);
  await measured();
  requests.latencies = new Latencies();
  const answeredBefore = answered;
  await seconds(job.seconds);
  requests.stop();
  const { latencies, errors } = requests;
  const own = { quietP99Us: quiet.p99, handshakes: answered - answeredBefore };
  return { units: latencies.count, errors, latencyUs: latencies.percentiles(), own };
});

let answered = 0;

function shake(port: number, hello: Buffer): void {
  let isAnswered = false;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(hello));
  socket.once('data', () => {
    isAnswered = true;
    answered++;
    socket.destroy();
  });
  socket.on('error', () => {});
  // One that is refused must not make this spin.
  socket.on('close', () => setTimeout(() => shake(port, hello), isAnswered ? 0 : 10));
}
