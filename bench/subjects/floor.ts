import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../stage/processes.ts';
import { type Presence, printed, type Subject } from './subject.ts';

/** It is not built like the rest of the bench, so that it is looked for from the root of the package. */
const packageFile = createRequire(import.meta.url).resolve('sluice/package.json');
const source = join(dirname(packageFile), 'bench/programs/floor.c');

/** Compiled anew for each run of the bench. */
const executable = (): string => join(temporaryDirectory(), 'floor');

/** What io_uring itself costs: how far a proxy on it could go. */
export const floor: Subject = {
  name: 'floor',
  about: 'C and io_uring without policy, limits, time-outs or log: the least that a proxy on it can cost',
  cores: 1,
  presence,
  launch: ({ listenPort, backendPort }) => ({
    command: executable(),
    args: [String(listenPort), String(backendPort)],
  }),
};

async function presence(): Promise<Presence> {
  const version = await printed('cc', ['--version'], /(\d+\.\d+\S*)/);
  if (version === undefined) return { missing: 'there is no C compiler (Debian: apt-get install gcc)' };
  try {
    await promisify(execFile)('cc', ['-O2', '-o', executable(), source]);
  } catch (error) {
    const why = /error: .*/.exec(error instanceof Error ? error.message : '')?.[0] ?? 'cc failed';
    return { missing: `bench/programs/floor.c does not compile here: ${why}` };
  }
  return { version: `cc ${version}` };
}
