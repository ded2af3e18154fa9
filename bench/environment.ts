import { existsSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { pinnable, share } from './stage/cores.ts';
import type { Subject } from './subjects/subject.ts';

/** Where and with what the figures were measured: enough to repeat them. */
export interface Environment {
  readonly date: string;
  readonly command: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMib: number;
  readonly kernel: string;
  readonly node: string;
  readonly pinning: string;
  readonly cpuAccounting: string;
  readonly subjects: readonly SubjectHere[];
  /** The subjects that were wanted and are not here, each with what to do about it. */
  readonly missing: readonly string[];
}

export interface SubjectHere {
  readonly name: string;
  readonly about: string;
  readonly version: string;
  readonly cores: number;
  readonly command?: string;
  readonly config?: string;
}

export interface Installed {
  readonly present: readonly { readonly subject: Subject; readonly version: string }[];
  readonly missing: readonly string[];
}

export function environment({ present, missing }: Installed, args: readonly string[]): Environment {
  return {
    date: new Date().toISOString(),
    command: commandOf(args),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMib: Math.round(totalmem() / 1024 / 1024),
    kernel: `${type()} ${release()}`,
    node: process.version,
    pinning: pinning(present.map(({ subject }) => subject)),
    cpuAccounting: existsSync('/proc/self/stat') ? '/proc' : 'not available (Linux only)',
    subjects: present.map(({ subject, version }) => described(subject, version)),
    missing,
  };
}

/** Without where its results went, which is nobody's matter who repeats it. */
export function commandOf(args: readonly string[]): string {
  const asked = args.filter((arg, index) => !isPlace(arg) && !isPlace(args[index - 1]));
  return ['npm run bench', ...(asked.length > 0 ? ['--', ...asked] : [])].join(' ');
}

function isPlace(arg: string | undefined): boolean {
  return arg === '--out' || arg === '--readme' || arg === '--into';
}

function pinning(subjects: readonly Subject[]): string {
  const cores = pinnable();
  if (cores === undefined) return 'none: without taskset, proxy, load and backend share the cores';
  const tooMany = subjects
    .filter((subject) => share(subject.cores).proxy === undefined)
    .map(({ name }) => name);
  if (tooMany.length === subjects.length)
    return 'none: proxy, load and backend share the cores, which are too few';
  const exception = tooMany.length === 0 ? '' : `; none for ${tooMany.join(', ')}, as no core would be left`;
  return `taskset: the proxy on the first of the cores ${cores.join(', ')}, load and backend on the rest${exception}`;
}

function described(subject: Subject, version: string): SubjectHere {
  const { name, about, cores } = subject;
  // An example: the ports and the directory are others in each measurement.
  const launch = subject.launch?.({
    listenPort: 8080,
    backendPort: 9000,
    directory: '/tmp',
    setting: {},
  });
  return {
    name,
    about,
    version,
    cores,
    ...(launch && { command: [launch.command, ...launch.args].join(' ') }),
    ...(launch?.config && { config: launch.config.text }),
  };
}
