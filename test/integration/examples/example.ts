/** An example of `config/` as it runs, at ports of the test's own. */
import { cpSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { output } from '../../support/programs.ts';
import { type LogLine, Sluice } from '../../support/sluice.ts';
import { expectSettled, openDescriptors, started } from '../scene.ts';

const config = fileURLToPath(new URL('../../../config/', import.meta.url));

export interface Example {
  readonly sluice: Sluice;
  readonly port: number;
  /** Where a file lies that is named relative to the example. */
  path(name: string): string;
  /** How sessions ended so far: reasons that occurred, with their counts. */
  reasons(): Promise<Readonly<Record<string, number>>>;
  /** The line of the session that a client with this port had, once it is over. */
  session(clientPort: number): Promise<LogLine>;
  /** Everybody has left: it must be as at the start, and stop in order. */
  end(): Promise<void>;
}

/** A folder with the files that examples name, but for their certificates; it goes with the example. */
function exampleFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  for (const file of ['allow.txt', 'make-certs.sh']) cpSync(join(config, file), join(folder, file));
  return folder;
}

/** The same with the certificates. */
export async function certifiedFolder(): Promise<string> {
  const folder = exampleFolder();
  await output('sh', [join(folder, 'make-certs.sh')]);
  return folder;
}

/** `servers` has the place of each server that the example names, by the port that it has there. */
export async function runExample(
  name: string,
  servers: Readonly<Record<number, number>>,
  { folder = exampleFolder(), args = [] }: { folder?: string; args?: readonly string[] } = {},
): Promise<Example> {
  const text = readFileSync(join(config, `${name}.yaml`), 'utf8').replace(/^#.*\n/gm, '');
  const moved = text
    .replaceAll(/bind: 127\.0\.0\.1:\d+/g, 'bind: 127.0.0.1:0')
    .replaceAll(/127\.0\.0\.1:([1-9]\d*)/g, (_, port: string) => {
      const other = servers[Number(port)];
      if (other === undefined) throw new Error(`The test has no server for ${port} of ${name}.yaml`);
      return `127.0.0.1:${other}`;
    });
  const sluice = await started(Sluice.runIn(folder, `${moved}admin: { bind: 127.0.0.1:0 }\n`, args));
  const descriptors = openDescriptors(sluice);
  const [listener] = Object.keys((await sluice.status()).listeners);
  return {
    sluice,
    port: sluice.port(listener ?? ''),
    path: (file) => join(folder, file),
    reasons: async () => {
      const series = /^sluice_sessions_closed_total\{.*reason="(.*)"\}$/;
      const counts = [...(await sluice.metrics())].flatMap(([name, count]) => {
        const reason = series.exec(name)?.[1];
        return reason === undefined || count === 0 ? [] : [[reason, count] as const];
      });
      return Object.fromEntries(counts);
    },
    session: (clientPort) =>
      sluice.logged(
        (line) => line.msg === 'session closed' && String(line['client']).endsWith(`:${clientPort}`),
      ),
    end: async () => {
      try {
        await expectSettled(sluice, descriptors);
        sluice.signal('SIGTERM');
        expect(await sluice.ended, sluice.stderr).toBe(0);
      } finally {
        await sluice.stop();
      }
    },
  };
}
