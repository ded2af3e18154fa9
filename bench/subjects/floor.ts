import { compiled } from '../stage/compiled.ts';
import { type Presence, printed, type Subject } from './subject.ts';

let executable = '';

/** What io_uring itself costs: how far a proxy on it could go. */
export const floor: Subject = {
  name: 'floor',
  about: 'C and io_uring without policy, limits, time-outs or log: the least that a proxy on it can cost',
  cores: 1,
  presence,
  launch: ({ listenPort, backendPort }) => ({
    command: executable,
    args: [String(listenPort), String(backendPort)],
  }),
};

async function presence(): Promise<Presence> {
  const version = await printed('cc', ['--version'], /(\d+\.\d+\S*)/);
  if (version === undefined) return { missing: 'there is no C compiler (Debian: apt-get install gcc)' };
  try {
    executable = await compiled('floor');
  } catch (error) {
    const why = /error: .*/.exec(error instanceof Error ? error.message : '')?.[0] ?? 'cc failed';
    return { missing: `bench/programs/floor.c does not compile here: ${why}` };
  }
  return { version: `cc ${version}` };
}
