/** A proxy whose listener `web` and pool `app` an operator changes, and which keeps the changes over its restarts. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../bench/stage/free-ports.ts';
import { sluiceOfTestIn } from '../support/of-test.ts';
import type { Sluice } from '../support/sluice.ts';

export interface Operated {
  readonly sluice: Sluice;
  /** Of the listener. */
  readonly port: number;
  /** Kills the process, and starts another one. */
  restart(): Promise<Sluice>;
}

export interface OperatedOptions {
  readonly driver?: string;
  readonly workers?: number;
}

export async function operatedOfTest(
  backend: string,
  { driver, workers = 2 }: OperatedOptions = {},
): Promise<Operated> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const config = JSON.stringify({
    version: 1,
    ...(driver && { driver }),
    workers,
    listeners: { web: { bind: `127.0.0.1:${port}`, pool: 'app' } },
    pools: { app: { backends: [backend] } },
    admin: { bind: '127.0.0.1:0', state: 'state.json' },
    shutdown: { grace: '1m' },
  });
  const sluice = await sluiceOfTestIn(folder, config);
  const restart = async (): Promise<Sluice> => {
    sluice.signal('SIGKILL');
    await sluice.ended;
    return sluiceOfTestIn(folder, config);
  };
  return { sluice, port, restart };
}
