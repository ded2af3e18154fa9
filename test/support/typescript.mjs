/**
 * Loaded before a worker thread of a test (`--import`): from then on it can import the TypeScript of this project, also
 * on a Node that does not strip types by itself.
 */
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'rolldown/utils';

if (import.meta.url.endsWith('?hooks') === false) register(`${import.meta.url}?hooks`);

export function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  const { code, errors } = transformSync(path, readFileSync(path, 'utf8'), { sourcemap: false });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  return { format: 'module', source: code, shortCircuit: true };
}
