/**
 * The entry of a worker thread of a test. Threads run JavaScript, and some tests start a hundred: so all that an entry
 * imports is put into one file, once for each process.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** Within this project, so that packages are found from there. */
const folder = fileURLToPath(new URL('../../dist/threads/', import.meta.url));
const entries = new Map<string, string>();

/** `source` is the entry in TypeScript. Returns the path of the file, which is named by what it has. */
export function threadEntry(source: URL): string {
  const known = entries.get(source.href);
  if (known !== undefined) return known;
  const path = fileURLToPath(source);
  const { outputFiles } = buildSync({
    entryPoints: [path],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    write: false,
    logLevel: 'warning',
  });
  const text = outputFiles.map((file) => file.text).join('');
  const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const file = `${folder}${basename(path, '.ts')}-${name}.mjs`;
  mkdirSync(folder, { recursive: true });
  // Other processes may do the same at this moment.
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
  entries.set(source.href, file);
  return file;
}
