import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseDriver } from '../../src/drivers/drivers.ts';
import { type CertificateFiles, type Presence, printed, type Subject, sniNames } from './subject.ts';

const executable = fileURLToPath(new URL('../../bundle/main.js', import.meta.url));

interface Variant {
  readonly name: string;
  readonly driver: 'portable' | 'uring';
  readonly workers: number;
}

/** The built executable with its policy on: limits, breaker, accounting. The peers log nothing, so nor does it. */
export function sluice({ name, driver, workers }: Variant): Subject {
  return {
    name,
    about: `sluice run: ${driver} driver, workers: ${workers}, limits and breaker on, no session log`,
    cores: workers,
    reloads: true,
    skills: ['tls', 'sniRules', 'sessionLog'],
    presence: () => presence(driver),
    launch({ listenPort, backendPort, directory, setting, certificate }) {
      const text = `\
version: 1
workers: ${workers}
driver: ${driver}
listeners:
  bench:
    bind: 127.0.0.1:${listenPort}
    pool: ${setting.sniRules ? 'nowhere' : 'bench'}
    limits: { maxConnections: 20000, perClient: { maxConnections: 20000 } }
${certificate ? tls(certificate) : ''}${routes(setting.sniRules ?? 0)}\
pools:
  bench:
    balance: round-robin
    backends:
      - { address: "127.0.0.1:${backendPort}", maxConnections: 20000 }
    limits: { maxConnections: 20000 }
${setting.sniRules ? nowhere : ''}\
admin: { bind: off }
log: { level: info, sessions: ${setting.sessionLog ?? false} }
`;
      return {
        command: process.execPath,
        args: [executable, 'run', '-c', join(directory, 'sluice.yaml')],
        config: { file: 'sluice.yaml', text },
        otherText: text.replace('balance: round-robin', 'balance: least-connections'),
        ...(setting.sessionLog && { output: 'sluice.log' }),
      };
    },
  };
}

async function presence(driver: Variant['driver']): Promise<Presence> {
  if (!existsSync(executable)) return { missing: 'build it first: npm run build' };
  const version = await printed(process.execPath, [executable, '--version'], /(\d+\.\d+\.\d+\S*)/);
  if (version === undefined) return { missing: 'the built executable does not start: npm run build' };
  const { module, why } = chooseDriver(driver);
  if (module === undefined) return { missing: `the ${driver} driver does not run here: ${why}` };
  return { version: `${version} on Node ${process.version}` };
}

function tls({ cert, key }: CertificateFiles): string {
  return `\
    tls:
      certificates: [{ cert: "${cert}", key: "${key}" }]
`;
}

/** Nobody listens on this port: tcpmux (RFC 1078) is history. */
const nowhere = `\
  nowhere:
    backends: ["127.0.0.1:1"]
`;

function routes(rules: number): string {
  if (rules === 0) return '';
  const lines = sniNames(rules).map((name) => `      - { when: { sni: [${name}] }, pool: bench }\n`);
  return `    routes:\n${lines.join('')}`;
}
