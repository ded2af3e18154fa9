/** Answers of a name server that come while this thread does something else for longer than their time-out. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { Questions } from '../../../../src/control/discovery/dns/questions.ts';

it('Questions believes an answer that has come, however late it is read', async () => {
  const questions = new Questions({ servers: [await serverElsewhere()], timeoutMs: 60 });
  onTestFinished(() => questions.close());
  const busyTurns = setInterval(() => busy(100), 1);
  onTestFinished(() => clearInterval(busyTurns));
  expect(await questions.addresses('app.test.')).toMatchObject({ value: ['10.0.0.1'] });
  const services = await questions.services('_pg._tcp.app.test.', false);
  expect(services).toMatchObject([{ name: 'app.test', port: 5432 }]);
});

/** A name server in a thread of its own, which answers whatever this one does. */
async function serverElsewhere(): Promise<string> {
  const worker = new Worker(new URL('./dns-thread.mjs', import.meta.url));
  onTestFinished(async () => {
    await worker.terminate();
  });
  const [address] = await once(worker, 'message');
  return address;
}

/** Blocks this thread, as a long piece of work does. */
function busy(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
