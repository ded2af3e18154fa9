import { existsSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { pinnable } from './stage/cores.ts';
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
}

export interface SubjectHere {
  readonly name: string;
  readonly about: string;
  readonly version: string;
  readonly command?: string;
  readonly config?: string;
}

export function environment(
  present: readonly { readonly subject: Subject; readonly version: string }[],
  args: readonly string[],
): Environment {
  const cores = pinnable();
  return {
    date: new Date().toISOString(),
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMib: Math.round(totalmem() / 1024 / 1024),
    kernel: `${type()} ${release()}`,
    node: process.version,
    pinning:
      cores === undefined
        ? 'none: taskset is not available here, so that proxy, load and backend share the cores'
        : cores.length < 2
          ? 'none: one core only, which proxy, load and backend share'
          : `taskset: the proxy on its first cores of ${cores.join(', ')}, load and backend on the rest`,
    cpuAccounting: existsSync('/proc/self/stat') ? '/proc' : 'not available (Linux only)',
    subjects: present.map(({ subject, version }) => described(subject, version)),
  };
}

function described(subject: Subject, version: string): SubjectHere {
  const { name, about } = subject;
  // An example: the ports and the directory are others in each measurement.
  const launch = subject.launch?.({ listenPort: 8080, backendPort: 9000, directory: '/tmp' });
  return {
    name,
    about,
    version,
    ...(launch && { command: [launch.command, ...launch.args].join(' ') }),
    ...(launch?.config && { config: launch.config.text }),
  };
}
