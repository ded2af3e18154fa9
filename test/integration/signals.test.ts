import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { connected, ending, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest, sluiceOfTest } from '../support/of-test.ts';
import { preloaded } from '../support/preloaded.ts';
import type { Sluice } from '../support/sluice.ts';

async function started(more: object = {}): Promise<Sluice> {
  const backend = await backendOfTest();
  return sluiceOfTest(
    JSON.stringify({
      version: 1,
      workers: 1,
      listeners: { web: { bind: `127.0.0.1:${await freePort()}`, pool: 'app' } },
      pools: { app: { backends: [backend.address] } },
      admin: { bind: '127.0.0.1:0' },
      ...more,
    }),
  );
}

async function expectEcho(sluice: Sluice): Promise<void> {
  const client = await connected(sluice.port('web'));
  client.write('ping');
  expect(await nextText(client)).toBe('ping');
  client.end();
  await ending(client);
}

it.each(['SIGUSR1', 'SIGUSR2'] as const)('%s is a line in the log and nothing more', async (signal) => {
  const sluice = await started();
  for (let times = 1; times <= 2; times++) {
    sluice.signal(signal);
    await eventually(() => expect(unused(sluice, signal)).toBe(times));
  }
  await expectEcho(sluice);
  // Node tells on stderr where its debugger listens.
  expect(sluice.stderr).toBe('');
  sluice.signal('SIGTERM');
  expect(await sluice.ended).toBe(0);
});

function unused({ lines }: Sluice, signal: string): number {
  return lines.filter((line) => line['signal'] === signal && line.level === 'info').length;
}

it('a debugger that SIGUSR1 opened before sluice could take the signal is closed again', async () => {
  // Another port than the usual one, which may be in use.
  const port = await freePort();
  const sluice = await preloaded(opensDebugger, started, `--inspect-port=${port}`);
  expect(sluice.stderr).toContain(`listening on ws://127.0.0.1:${port}`);
  await expect(connected(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expectEcho(sluice);
});

it('a SIGHUP that comes while the modules load is a reload once it has started', async () => {
  const sluice = await preloaded(hangsUp, started);
  expect(await sluice.logged(({ msg }) => msg === 'configuration reloaded')).toMatchObject({
    trigger: 'SIGHUP',
  });
  await expectEcho(sluice);
});

const opensDebugger = `
const inspector = require('node:inspector');
if (require('node:worker_threads').isMainThread) {
  process.kill(process.pid, 'SIGUSR1');
  while (inspector.url() === undefined);
}`;

const hangsUp = `
const Module = require('node:module');
const load = Module._load;
Module._load = function (request, ...more) {
  if (request.startsWith('./cli/program.')) process.kill(process.pid, 'SIGHUP');
  return load.call(this, request, ...more);
};`;

it('after SIGTERM it accepts for shutdown.delay while it is not ready, and a second signal ends it at once', async () => {
  const sluice = await started({ shutdown: { delay: '1h', grace: '1h' } });
  sluice.signal('SIGTERM');
  expect(await sluice.logged(({ msg }) => msg === 'draining')).toMatchObject({ delayMs: 3_600_000 });
  expect((await sluice.ask('/readyz')).code).toBe(503);
  expect(await sluice.metric('sluice_draining')).toBe(1);
  await expectEcho(sluice);
  sluice.signal('SIGTERM');
  expect(await sluice.ended).toBe(0);
});

it('once shutdown.delay is over it refuses new clients and lets the others finish', async () => {
  const sluice = await started({ shutdown: { delay: '50ms', grace: '1h' } });
  const client = await connected(sluice.port('web'));
  client.write('ping');
  expect(await nextText(client)).toBe('ping');
  sluice.signal('SIGTERM');
  await eventually(async () => {
    const late = await connected(sluice.port('web')).catch((error: NodeJS.ErrnoException) => error);
    if (late instanceof Socket) late.destroy();
    expect(late).toMatchObject({ code: 'ECONNREFUSED' });
  });
  client.end('pong');
  expect(await nextText(client)).toBe('pong');
  expect(await sluice.ended).toBe(0);
});

it('the image starts Node so that no debugger opens', () => {
  const image = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  expect(image).toMatch(/exec node --disable-sigusr1 \/app\/dist\/bundle\/main\.js "\$@"/);
});
