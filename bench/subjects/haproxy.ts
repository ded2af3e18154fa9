import { join } from 'node:path';
import { printed, type Subject } from './subject.ts';

interface Variant {
  readonly name: string;
  readonly threads: number;
  /** Moves bytes with splice(2) in both directions. */
  readonly splice: boolean;
}

/** HAProxy in TCP mode without a log; all that is not said here is its default. */
export function haproxy({ name, threads, splice }: Variant): Subject {
  return {
    name,
    about: `HAProxy, mode tcp, nbthread ${threads}${splice ? ', splice both ways' : ''}, no log`,
    cores: threads,
    async presence() {
      const version = await printed('haproxy', ['-v'], /version (\d\S*)/);
      return version === undefined
        ? { missing: 'haproxy is not installed (Debian: apt-get install haproxy)' }
        : { version };
    },
    launch({ listenPort, backendPort, directory }) {
      const text = `\
global
  nbthread ${threads}
  maxconn 7000
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
${splice ? '  option splice-request\n  option splice-response\n' : ''}\
listen bench
  bind 127.0.0.1:${listenPort}
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
