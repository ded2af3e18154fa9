import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { driverModules } from '../../src/drivers/drivers.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { connected, echo, ending, nextText, startBackend, type TestBackend } from '../support/backends.ts';
import { authority, selfSigned } from '../support/certificate.ts';
import { type Embedded, embed } from '../support/embedded.ts';
import { eventually } from '../support/eventually.ts';

const reason = whyNot();
const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
let backend: TestBackend;
let proxy: Embedded;

async function start(workers: number): Promise<void> {
  backend = await startBackend(echo);
  proxy = await embed({
    version: 1,
    driver: 'uring',
    workers,
    listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
    pools: { app: { backends: [backend.address] } },
    shutdown: { grace: '100ms' },
  });
}

afterEach(async () => {
  await proxy.end();
  await backend.close();
});

describe.skipIf(reason !== undefined)(
  `A worker of the uring driver that dies (${reason ?? 'runs here'})`,
  () => {
    it('has its sessions reset on both sides at once', async () => {
      await start(1);
      const client = await served();
      const [upstream] = backend.open;
      const ends = [ending(client), ending(upstream as Socket)]; // The session that was just served has one.
      await theWorker().terminate();
      expect(await Promise.all(ends)).toEqual([
        { text: '', reset: true },
        { text: '', reset: true },
      ]);
    });

    it('has sessions over TLS reset too, and its successor resumes what it began', async () => {
      await start(1);
      await secure({});
      const clients = await Promise.all(Array.from({ length: 20 }, () => securelyServed()));
      const session = clients[0]?.getSession();
      const ends = clients.map((client) => ending(client));
      await theWorker().terminate();
      for (const { reset } of await Promise.all(ends)) expect(reset).toBe(true);
      const late = await securelyServed(session);
      expect(late.isSessionReused()).toBe(true);
      late.destroy();
    });

    it('leaves nothing of what OpenSSL kept for it', async () => {
      await start(1);
      // A context that believes so many takes four megabytes.
      const authorities = Array.from({ length: 600 }, (_, i) => authority(`authority ${i}`).cert);
      await secure({ clientAuth: 'optional', clientCa: authorities.join('') });
      const dies = async (): Promise<void> => {
        const client = await securelyServed();
        await theWorker().terminate();
        client.destroy();
        await eventually(() => expect(proxy.workers.size).toBe(1));
      };
      for (let deaths = 0; deaths < 3; deaths++) await dies();
      const before = residentMegabytes();
      for (let deaths = 0; deaths < 10; deaths++) await dies();
      expect(residentMegabytes() - before).toBeLessThan(20);
    });

    it('of an error gives its callbacks back, of which a process has only some thousand', async () => {
      await start(1);
      await secure({});
      (await securelyServed()).destroy();
      const before = callbacks();
      const worker = theWorker();
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      // Of a plan that is none.
      worker.postMessage({ kind: 'plan' });
      await exited;
      await eventually(() => expect(proxy.workers.size).toBe(1));
      (await securelyServed()).destroy();
      expect(callbacks()).toBe(before);
    });

    it('leaves those who wait in its queue to its successor', async () => {
      await start(1);
      await served();
      const died = theWorker().terminate();
      const early = Array.from({ length: 20 }, () => served());
      await died;
      const late = Array.from({ length: 20 }, () => served());
      const outcomes = await Promise.allSettled([...early, ...late]);
      // Who was accepted already when it died is lost; the others are not.
      expect(outcomes.slice(20).map(({ status }) => status)).toEqual(Array(20).fill('fulfilled'));
    });

    it('takes nobody else with it', async () => {
      await start(2);
      const clients = await Promise.all(Array.from({ length: 40 }, () => served()));
      const [first] = proxy.workers;
      await first?.terminate();
      const fates = await Promise.all(
        clients.map(async (client) => ((await answers(client)) ? 'alive' : 'reset')),
      );
      expect(new Set(fates)).toEqual(new Set(['alive', 'reset']));
      await eventually(() => expect(proxy.workers.size).toBe(2));
      await Promise.all(Array.from({ length: 40 }, () => served()));
    });

    it('while a reload binds and moves its addresses does not make it fail', async () => {
      await start(2);
      const config = (names: readonly string[]): object => ({
        version: 1,
        driver: 'uring',
        workers: 2,
        listeners: Object.fromEntries(names.map((name) => [name, { bind: '127.0.0.1:0', pool: 'app' }])),
        pools: { app: { backends: [backend.address] } },
      });
      for (let turn = 0; turn < 2; turn++) {
        const names = ['web', ...Array.from({ length: 4 }, (_, i) => `${turn}-${i}`)];
        const reloaded = proxy.reload(config(names));
        // The reload has its first questions to the workers under way, and waits for the answers.
        await Promise.all([reloaded, ...[...proxy.workers].map((worker) => worker.terminate())]);
        for (const name of names) {
          const client = await connected(proxy.port(name));
          client.end('still here');
          expect((await ending(client)).text).toBe('still here');
        }
      }
    });

    it('out of heap is no different', async () => {
      setFlagsFromString('--max-old-space-size=48');
      await start(1);
      setFlagsFromString('--max-old-space-size=0');
      const client = await served();
      const end = ending(client);
      const worker = theWorker();
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      // More than it can take in: each object is made anew on its side.
      worker.postMessage(Array.from({ length: 1e6 }, (_, i) => ({ i })));
      await exited;
      expect((await end).reset).toBe(true);
      await served();
      expect(proxy.log()).toContain('ERR_WORKER_OUT_OF_MEMORY');
    });

    it('leaves no descriptor and no memory behind, and the books balance', async () => {
      await start(2);
      const before = await eventually(held);
      for (let deaths = 0; deaths < 4; deaths++) {
        await Promise.all(Array.from({ length: 10 }, () => served()));
        const [first] = proxy.workers;
        await first?.terminate();
        await eventually(() => expect(proxy.workers.size).toBe(2));
        await served();
      }
      for (const socket of backend.open) socket.resetAndDestroy();
      await eventually(() => {
        const now = held();
        expect(now.descriptors).toBe(before.descriptors);
        expect(now.rings).toBe(before.rings);
        expect(now.gibibytes).toBe(before.gibibytes);
      });
      expect(await proxy.service.metrics.text()).toContain('sluice_worker_restarts_total 4\n');
      const { ledger } = proxy.service.controlPlane;
      expect(ledger.listenerActive.total(0)).toBe(0);
      expect(ledger.backendActive.total(0)).toBe(0);
    });

    it('has its queue served even where its address is given up meanwhile', async () => {
      await start(1);
      await theWorker().terminate();
      const waiting = await connected(proxy.port('web'));
      const drained = proxy.service.drain();
      waiting.end('still served');
      expect(await ending(waiting)).toEqual({ text: 'still served', reset: false });
      await drained;
      await start(1);
    });
  },
);

const canShare = {
  portable: driverModules.portable.sharesPorts,
  uring: reason === undefined,
};

describe.each(['portable', 'uring'] as const)('A unix socket of the %s driver', (name) => {
  it.skipIf(!canShare[name])(
    'is the first worker’s again, in whichever order it and another one are replaced',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
      const path = join(folder, 'socket');
      const config = (listeners: object): object => ({
        ...{ version: 1, driver: name, workers: 2 },
        listeners: { web: { bind: '127.0.0.1:0', pool: 'app' }, ...listeners },
        pools: { app: { backends: [backend.address] } },
      });
      backend = await startBackend(echo);
      proxy = await embed(config({ local: { bind: `unix:${path}`, pool: 'app' } }));
      const [first, second] = proxy.workers;
      // Each is replaced a while after its end.
      await second?.terminate();
      await first?.terminate();
      await eventually(() => expect(proxy.workers.size).toBe(2));
      await eventually(() => answers(connect(path)).then((isServed) => expect(isServed).toBe(true)));
      await proxy.reload(config({}));
      await expect(once(connect(path), 'connect')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
      expect(proxy.log()).not.toContain('listen EADDRINUSE');
      rmSync(folder, { recursive: true });
    },
  );
});

/** Has the listener speak TLS, with these options. */
async function secure({ clientCa, ...options }: { clientAuth?: string; clientCa?: string }): Promise<void> {
  const files = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const written = (name: string, content: string): string => {
    writeFileSync(join(files, name), content);
    return join(files, name);
  };
  const { cert, key } = selfSigned('service.example');
  const certificates = [{ cert: written('a.pem', cert), key: written('a.key', key) }];
  const tls = { certificates, ...options, ...(clientCa && { clientCa: written('ca.pem', clientCa) }) };
  await proxy.reload({
    version: 1,
    driver: 'uring',
    workers: 1,
    listeners: { web: { bind: '127.0.0.1:0', pool: 'app', tls } },
    pools: { app: { backends: [backend.address] } },
  });
  rmSync(files, { recursive: true });
}

function theWorker(): Worker {
  const [worker] = proxy.workers;
  if (worker === undefined) throw new Error('No worker lives');
  return worker;
}

/** A client whose first bytes have come back. */
async function served(): Promise<Socket> {
  const client = await connected(proxy.port('web'));
  if (!(await answers(client))) throw new Error('Not served');
  return client;
}

async function securelyServed(session?: Buffer): Promise<tls.TLSSocket> {
  const socket = await connected(proxy.port('web'));
  const client = tls.connect({ socket, rejectUnauthorized: false, ...(session && { session }) });
  // What is left when the proxy ends is reset.
  client.on('error', () => {});
  await once(client, 'secureConnect');
  if (!(await answers(client))) throw new Error('Not served');
  return client;
}

async function answers(client: Socket): Promise<boolean> {
  client.write('ping');
  return (await nextText(client).catch(() => '')) === 'ping';
}

/** Without what is freed and only kept for the next who asks. */
function residentMegabytes(): number {
  koffi.load(null).func('int malloc_trim(size_t)')(0);
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

/** How many are registered in this process. */
function callbacks(): number {
  return koffi.stats().callbacks;
}

function held() {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  const virtual = /VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    rings: maps.filter((line) => line.includes('io_uring')).length,
    gibibytes: Math.round(Number(virtual) / 2 ** 20),
  };
}
