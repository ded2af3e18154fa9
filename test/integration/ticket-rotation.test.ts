/** The keys of session tickets over the days of one process, with workers and reloads; a signal stands for a day. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { selfSigned } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest } from '../support/of-test.ts';
import { preloaded } from '../support/preloaded.ts';
import { Sluice } from '../support/sluice.ts';

it('A ticket is good until the second day after, on every worker and over reloads', async () => {
  const sluice = await started();
  const first = await visit(sluice);
  expect(await resumed(sluice, first)).toBe(visits);

  await nextDay(sluice);
  expect(await resumed(sluice, first)).toBe(visits);
  const second = await visit(sluice);
  sluice.signal('SIGHUP');
  await sluice.logged(({ msg }) => msg === 'configuration reloaded');
  expect(await resumed(sluice, first)).toBe(visits);

  await nextDay(sluice);
  expect(await resumed(sluice, first)).toBe(0);
  expect(await resumed(sluice, second)).toBe(visits);
});

async function started(): Promise<Sluice> {
  const backend = await backendOfTest();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const { cert, key } = selfSigned('service.example');
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  const config = {
    version: 1,
    workers: 2,
    listeners: {
      web: {
        bind: '127.0.0.1:0',
        pool: 'app',
        tls: { certificates: [{ cert: 'cert.pem', key: 'key.pem' }] },
      },
    },
    pools: { app: { backends: [backend.address] } },
  };
  const sluice = await preloaded(daysBySignal, () => Sluice.runIn(folder, JSON.stringify(config)));
  onTestFinished(() => sluice.stop());
  return sluice;
}

/** What is due each day is done at SIGUSR2, before sluice itself has a line in the log for that. */
const daysBySignal = `
const every = globalThis.setInterval;
globalThis.setInterval = (callback, ms, ...more) => {
  if (ms === 24 * 60 * 60 * 1000) process.prependListener('SIGUSR2', () => callback(...more));
  return every(callback, ms, ...more);
};`;

async function nextDay(sluice: Sluice): Promise<void> {
  const days = () => sluice.lines.filter((line) => line['signal'] === 'SIGUSR2').length;
  const before = days();
  sluice.signal('SIGUSR2');
  await eventually(() => expect(days()).toBe(before + 1));
}

/** So many that each of two workers has some. */
const visits = 12;

/** How many of the visits with a session could go on with it. */
async function resumed(sluice: Sluice, session: Buffer): Promise<number> {
  let count = 0;
  for (let visit = 0; visit < visits; visit++) {
    const client = tls.connect({ ...options(sluice), session });
    await once(client, 'secureConnect');
    if (client.isSessionReused()) count++;
    client.destroy();
  }
  return count;
}

async function visit(sluice: Sluice): Promise<Buffer> {
  const client = tls.connect(options(sluice));
  const [session] = await once(client, 'session');
  client.destroy();
  if (!Buffer.isBuffer(session)) throw new Error('Expected a session');
  return session;
}

function options(sluice: Sluice): tls.ConnectionOptions {
  return {
    host: '127.0.0.1',
    port: sluice.port('web'),
    servername: 'service.example',
    rejectUnauthorized: false,
  };
}
