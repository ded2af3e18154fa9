/** The programs of the bench that are written in C: compiled anew for each run, where there is a compiler. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from './processes.ts';

/** They are not built like the rest of the bench, so that they are looked for from the root of the package. */
const packageFile = createRequire(import.meta.url).resolve('sluice/package.json');

/** Gives the path of the executable of `bench/programs/NAME.c`. Throws where there is no compiler, or it refuses. */
export async function compiled(name: string): Promise<string> {
  const executable = join(temporaryDirectory(), name);
  const source = join(dirname(packageFile), 'bench/programs', `${name}.c`);
  await promisify(execFile)('cc', ['-O2', '-o', executable, source]);
  return executable;
}

let backend: Promise<string | undefined> | undefined;

/** The executable of the backend in C, once compiled; undefined where that is not to be had. */
export function leanBackend(): Promise<string | undefined> {
  backend ??= compiled('backend').catch(() => undefined);
  return backend;
}
