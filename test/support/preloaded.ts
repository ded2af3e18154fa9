import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts something with a Node that runs this script first, in each of its threads. */
export async function preloaded<T>(
  script: string,
  start: () => Promise<T>,
  ...options: readonly string[]
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const preload = join(folder, 'preload.cjs');
  writeFileSync(preload, script);
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = [...options, `--require=${preload}`].join(' ');
  return start().finally(() => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
    rmSync(folder, { recursive: true });
  });
}
