import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The cores of one measurement, as lists for taskset; undefined where processes can't be pinned. */
export interface Cores {
  readonly proxy: readonly number[] | undefined;
  readonly load: readonly number[] | undefined;
}

/** The proxy has its cores to itself, load and backend share the others. Too few for that: nobody is pinned. */
export function share(proxyCores: number): Cores {
  const cores = pinnable();
  if (cores === undefined || cores.length <= proxyCores) return { proxy: undefined, load: undefined };
  return { proxy: cores.slice(0, proxyCores), load: cores.slice(proxyCores) };
}

/** The command that runs `command` on these cores. */
export function pinned(
  cores: readonly number[] | undefined,
  command: string,
  args: readonly string[],
): [string, string[]] {
  if (cores === undefined) return [command, [...args]];
  return ['taskset', ['-c', cores.join(','), command, ...args]];
}

let found: readonly number[] | undefined | 'not looked for' = 'not looked for';

/** The cores that this process may use, where taskset exists. */
export function pinnable(): readonly number[] | undefined {
  if (found === 'not looked for') found = look();
  return found;
}

function look(): readonly number[] | undefined {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return list === undefined ? undefined : coreNumbers(list);
  } catch {
    return undefined;
  }
}

/** The numbers in a kernel's list of cores, such as `0-3,8`. */
export function coreNumbers(list: string): readonly number[] {
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
