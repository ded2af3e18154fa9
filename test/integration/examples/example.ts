/** An example of `config/` as it runs, at ports of the test's own. */
import { cpSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { output } from '../../support/programs.ts';
import { type LogLine, Sluice } from '../../support/sluice.ts';
import { expectSettled, openDescriptors } from '../scene.ts';

const config = fileURLToPath(new URL('../../../config/', import.meta.url));

export interface Example {
  readonly sluice: Sluice;
  readonly port: number;
  /** Where a file lies that is named relative to the example. */
  path(name: string): string;
  /** The line of the session that a client with this port had, once it is over. */
  session(clientPort: number): Promise<LogLine>;
  /** Everybody has left: it must be as at the start, and stop in order. */
  end(): Promise<void>;
}

/**
 * `servers` has the place of each server that the example names, by the port that it has there. Its
 * certificates are made where `certificates` asks for them.
 */
export async function runExample(
  name: string,
  servers: Readonly<Record<number, number>>,
  { args = [], certificates = false }: { args?: readonly string[]; certificates?: boolean } = {},
): Promise<Example> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  for (const file of ['allow.txt', 'make-certs.sh']) cpSync(join(config, file), join(folder, file));
  if (certificates) await output('sh', [join(folder, 'make-certs.sh')]);
  const text = readFileSync(join(config, `${name}.yaml`), 'utf8').replace(/^#.*\n/gm, '');
  const moved = text
    .replaceAll(/bind: 127\.0\.0\.1:\d+/g, 'bind: 127.0.0.1:0')
    .replaceAll(/127\.0\.0\.1:([1-9]\d*)/g, (_, port: string) => {
      const other = servers[Number(port)];
      if (other === undefined) throw new Error(`The test has no server for ${port} of ${name}.yaml`);
      return `127.0.0.1:${other}`;
    });
  const sluice = await Sluice.runIn(folder, `${moved}admin: { bind: 127.0.0.1:0 }\n`, args);
  const [listener] = Object.keys((await sluice.status()).listeners);
  const descriptors = openDescriptors(sluice);
  return {
    sluice,
    port: sluice.port(listener ?? ''),
    path: (file) => join(folder, file),
    session: (clientPort) =>
      sluice.logged(
        (line) => line.msg === 'session closed' && String(line['client']).endsWith(`:${clientPort}`),
      ),
    end: async () => {
      await expectSettled(sluice, descriptors);
      sluice.signal('SIGTERM');
      const exit = await sluice.ended;
      await sluice.stop();
      expect(exit, sluice.stderr).toBe(0);
    },
  };
}
