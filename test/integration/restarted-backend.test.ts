/** The only backend is restarted under clients that come all the while: with `whenNoBackend: wait` none is lost. */
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { textOf } from '../support/backends.ts';
import { startBackendProcess } from './backend-process.ts';
import { openScene } from './scene.ts';

const scene = openScene();

it.each([
  ['that is checked', { healthCheck: { type: 'tcp', interval: '100ms', fall: 1, rise: 1 } }],
  [
    'whose breaker alone tells',
    { circuitBreaker: { consecutiveFailures: 2, openFor: '100ms', maxOpenFor: '200ms' } },
  ],
])('a single backend %s may be restarted without a failed client', async (_, pool) => {
  const port = await freePort();
  const start = () => startBackendProcess('b', port);
  let backend = await start();
  scene.afterwards(() => backend.close());
  const proxy = await scene.proxy({
    backends: [`127.0.0.1:${port}`],
    pool: { ...pool, limits: { queue: { size: 1_000, timeout: '20s', whenNoBackend: 'wait' } } },
  });
  const restart = (async () => {
    await setTimeout(300);
    await backend.close();
    await setTimeout(500);
    backend = await start();
  })();
  const visits: Promise<string>[] = [];
  for (let visit = 0; visit < 100; visit++) {
    visits.push(visited(proxy.port));
    await setTimeout(15);
  }
  await restart;
  const answers = await Promise.all(visits);
  // None was refused. Whom the backend had accepted and not answered yet when it was killed, the system has cut.
  const reasons = Object.keys(await proxy.reasons());
  const ends = ['finished', 'client-reset', 'backend-reset'];
  expect(reasons.filter((reason) => !ends.includes(reason))).toEqual([]);
  expect(answers.filter((text) => text === 'hello b').length).toBeGreaterThan(90);
});

async function visited(port: number): Promise<string> {
  const client = scene.client(port);
  const text = await textOf(client, 'hello b'.length).catch(() => 'cut');
  client.destroy();
  return text;
}
