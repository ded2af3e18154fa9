/** The built proxy inside the test's own process, so that its worker threads are within reach. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Service } from '../../src/service.ts';

export interface Embedded {
  readonly service: Service;
  /** The worker threads that live. */
  readonly workers: ReadonlySet<Worker>;
  port(listener: string): number;
  /** Another configuration from now on. */
  reload(config: object): Promise<void>;
  /** What it has logged. */
  log(): string;
  /** Stops at once. */
  end(): Promise<void>;
}

export async function embed(config: object): Promise<Embedded> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  const sluice = await built();
  const workers = new Set<Worker>();
  const onWorker = (worker: Worker): void => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  };
  process.on('worker', onWorker);

  let current = config;
  const load = async () => sluice.parseConfig(JSON.stringify(current), { file: 'test', env: {} });
  const loaded = await load();
  if (!loaded.ok) throw new Error(sluice.formatIssues(loaded.issues));
  const log = sluice.createLog({ level: 'info', fd, json: true });
  const service = await sluice.Service.start({ config: loaded.config, log, load });
  return {
    service,
    workers,
    port: (listener) => Number(service.controlPlane.view.bound().get(listener)?.[0]?.split(':').at(-1)),
    reload: async (next) => {
      current = next;
      const result = await service.reload();
      if (!result.ok) throw new Error(JSON.stringify(result.errors));
    },
    log: () => readFileSync(file, 'utf8'),
    end: async () => {
      await service.stop();
      await log.flush();
      process.off('worker', onWorker);
      closeSync(fd);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Worker threads can't be started from the source on every Node: it is written in TypeScript. */
async function built(): Promise<typeof import('../../src/index.ts')> {
  const index = new URL('../../dist/bundle/index.js', import.meta.url);
  return await import(index.href); // What was built of the module whose type this is.
}
