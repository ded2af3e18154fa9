/** Probes whose answers come while this thread does something else for longer than their time-out. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HealthProber } from '../../../src/control/health/prober.ts';
import type { Asked, Question } from '../../../src/control/health/question.ts';
import { selfSigned } from '../../support/certificate.ts';

const certificate = selfSigned('app.internal');
const how = { servername: undefined, verify: true, ca: certificate.cert, cert: undefined, key: undefined };
const secure = { name: 'app.internal', how };
const http = {
  method: 'GET',
  path: '/',
  host: 'app.internal',
  expectStatus: [{ from: 200, to: 200 }],
} as const;
const asked = {
  connect: { type: 'connect' },
  http: { type: 'http', http },
  banner: { type: 'send-expect', send: undefined, expect: '220 ' },
} satisfies Record<string, Asked>;

describe('a probe on a busy thread', () => {
  it.each([
    ['a connection', 'greets', asked.connect, 'off'],
    ['a banner', 'greets', asked.banner, 'off'],
    ['a status', 'answers', asked.http, 'off'],
    ['a TLS handshake', 'shakes hands', asked.connect, secure],
    ['a status over TLS', 'shakes hands', asked.http, secure],
  ] as const)('passes by %s that has come, however late it is read', async (_what, manner, what, tls) => {
    const port = await serverElsewhere(manner);
    const results: string[] = [];
    const heard = new Promise<void>((resolve) => {
      const prober = new HealthProber({
        onResult: (_target, pass, detail) => {
          results.push(pass ? 'passed' : detail);
          resolve();
        },
        onCertificate: () => {},
        onTransition: () => {},
        onSkipped: () => {},
      });
      onTestFinished(() => prober.close());
      const question: Question = {
        address: { host: '127.0.0.1', port },
        isElsewhere: false,
        proxyProtocol: 'off',
        tls,
        asked: what,
      };
      const rhythm = { intervalMs: 60_000, timeoutMs: 80, rise: 1, fall: 1, jitterPercent: 0 };
      prober.update([{ pool: 'app', poolSlot: 0, slot: 0, backend: 'b', question, rhythm }]);
    });
    // Again and again, so that each step of the probe meets it.
    const busyTurns = setInterval(() => busy(200), 1);
    onTestFinished(() => clearInterval(busyTurns));
    await heard;
    expect(results).toEqual(['passed']);
  });
});

/** A server in a thread of its own, which answers whatever this one does. */
async function serverElsewhere(manner: 'greets' | 'answers' | 'shakes hands'): Promise<number> {
  const worker = new Worker(
    `const { parentPort, workerData: { manner, certificate } } = require('node:worker_threads');
     const answer = (socket) => {
       socket.on('error', () => {});
       if (manner === 'greets') socket.write('220 ready\\r\\n');
       else socket.once('data', () => socket.end('HTTP/1.1 200 OK\\r\\n\\r\\n'));
     };
     const server = manner === 'shakes hands'
       ? require('node:tls').createServer(certificate, answer)
       : require('node:net').createServer(answer);
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: { manner, certificate } },
  );
  onTestFinished(async () => {
    await worker.terminate();
  });
  const [port] = await once(worker, 'message');
  return port;
}

/** Blocks this thread, as a long piece of work does. */
function busy(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
