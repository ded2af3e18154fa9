import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printed, type Subject } from './subject.ts';

const executable = fileURLToPath(new URL('../../src/main.js', import.meta.url));

interface Variant {
  readonly name: string;
  readonly driver: 'portable' | 'uring';
  readonly workers: number;
  /** Whether a line is written for each finished connection. */
  readonly logSessions: boolean;
}

/** The built executable with its policy on: limits, breaker, accounting. */
export function sluice({ name, driver, workers, logSessions }: Variant): Subject {
  return {
    name,
    about: `sluice run: ${driver} driver, workers: ${workers}, limits and breaker on, log.sessions: ${logSessions}`,
    cores: workers,
    reloads: true,
    async presence() {
      if (!existsSync(executable)) return { missing: 'build it first: npm run build' };
      const version = await printed(process.execPath, [executable, '--version'], /(\d+\.\d+\.\d+\S*)/);
      if (version === undefined) return { missing: 'the built executable does not start: npm run build' };
      return { version: `${version} on Node ${process.version}` };
    },
    launch({ listenPort, backendPort, directory }) {
      const text = `\
version: 1
workers: ${workers}
driver: ${driver}
listeners:
  bench:
    bind: 127.0.0.1:${listenPort}
    pool: bench
    limits: { maxConnections: 20000, perClient: { maxConnections: 20000 } }
pools:
  bench:
    balance: round-robin
    backends:
      - { address: "127.0.0.1:${backendPort}", maxConnections: 20000 }
    limits: { maxConnections: 20000 }
admin: { bind: off }
log: { level: info, sessions: ${logSessions} }
`;
      return {
        command: process.execPath,
        args: [executable, 'run', '-c', join(directory, 'sluice.yaml')],
        config: { file: 'sluice.yaml', text },
        otherText: text.replace('balance: round-robin', 'balance: least-connections'),
      };
    },
  };
}
