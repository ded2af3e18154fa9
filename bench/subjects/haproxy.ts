import { join } from 'node:path';
import { connectionsMax } from '../stage/descriptors.ts';
import { printed, type Subject, sniNames } from './subject.ts';

interface Variant {
  readonly name: string;
  readonly threads: number;
  /** Moves bytes with splice(2) in both directions. */
  readonly splice: boolean;
}

/**
 * HAProxy in TCP mode without a log; all that is not said here is its default. Connections and the pipes for
 * splice(2) are as many as there are descriptors for, which it asks for when it starts.
 */
export function haproxy({ name, threads, splice }: Variant): Subject {
  return {
    name,
    about: `HAProxy, mode tcp, nbthread ${threads}${splice ? ', splice both ways' : ''}, no log`,
    cores: threads,
    skills: ['tls', 'sniRules'],
    async presence() {
      const version = await printed('haproxy', ['-v'], /version (\d\S*)/);
      return version === undefined
        ? { missing: 'haproxy is not installed (Debian: apt-get install haproxy)' }
        : { version };
    },
    launch({ listenPort, backendPort, directory, setting, certificate }) {
      const text = `\
global
  nbthread ${threads}
  maxconn ${connectionsMax + 100}
${splice ? '  maxpipes 200\n' : ''}\
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
${splice ? '  option splice-request\n  option splice-response\n' : ''}\
frontend bench
  bind 127.0.0.1:${listenPort}${certificate ? ` ssl crt ${certificate.bundle}` : ''}
${choice(setting.sniRules ?? 0)}\
backend bench
  server backend 127.0.0.1:${backendPort}
`;
      return {
        command: 'haproxy',
        args: ['-db', '-f', join(directory, 'haproxy.cfg')],
        config: { file: 'haproxy.cfg', text },
      };
    },
  };
}

function choice(rules: number): string {
  if (rules === 0) return '  default_backend bench\n';
  return `\
  tcp-request inspect-delay 3s
  tcp-request content accept if { req.ssl_hello_type 1 }
${sniNames(rules)
  .map((name) => `  use_backend bench if { req.ssl_sni -i ${name} }\n`)
  .join('')}`;
}
