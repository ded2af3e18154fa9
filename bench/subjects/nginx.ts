import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectionsMax, descriptorsMax } from '../stage/descriptors.ts';
import { type CertificateFiles, printed, type Route, type Subject, sniNames } from './subject.ts';

/** A session takes two. */
const workerConnections = 2 * connectionsMax + 200;

interface Variant {
  readonly name: string;
  readonly workers: number;
}

/** nginx's stream module without a log; all that is not said here is its default. */
export function nginx({ name, workers }: Variant): Subject {
  /** The line that loads the stream module, empty where it is built in; known once it was looked for. */
  let loadModule = '';
  return {
    name,
    about: `nginx stream, worker_processes ${workers}, no log`,
    cores: workers,
    reloads: true,
    skills: ['tls', 'sniRules'],
    async presence() {
      const version = await printed('nginx', ['-v'], /nginx\/(\S+)/);
      if (version === undefined) {
        return { missing: 'nginx is not installed (Debian: apt-get install nginx libnginx-mod-stream)' };
      }
      const builtIn = await printed('nginx', ['-V'], /(--with-stream)(?:\s|$)/);
      if (builtIn !== undefined) return { version };
      const modules = (await printed('nginx', ['-V'], /--modules-path=(\S+)/)) ?? '';
      const module = join(modules, 'ngx_stream_module.so');
      if (!existsSync(module)) {
        return { missing: 'nginx lacks its stream module (Debian: apt-get install libnginx-mod-stream)' };
      }
      loadModule = `load_module ${module};\n`;
      return { version };
    },
    launch(route) {
      const { directory } = route;
      const text = `\
${loadModule}daemon off;
worker_processes ${workers};
worker_rlimit_nofile ${descriptorsMax};
pid ${join(directory, 'nginx.pid')};
error_log stderr emerg;
events { worker_connections ${workerConnections}; }
${stream(route)}`;
      return {
        command: 'nginx',
        args: ['-p', directory, '-e', 'stderr', '-c', join(directory, 'nginx.conf')],
        config: { file: 'nginx.conf', text },
        otherText: text.replace(
          `worker_connections ${workerConnections}`,
          `worker_connections ${workerConnections - 1}`,
        ),
      };
    },
  };
}

function stream({ listenPort, backendPort, setting, certificate }: Route): string {
  const rules = setting.sniRules ?? 0;
  return `\
stream {
  upstream bench { server 127.0.0.1:${backendPort}; }
${rules > 0 ? sniMap(rules) : ''}\
  server {
    listen 127.0.0.1:${listenPort} backlog=4096${certificate ? ' ssl' : ''};
${certificate ? tls(certificate) : ''}\
${rules > 0 ? '    ssl_preread on;\n' : ''}\
    proxy_pass ${rules > 0 ? '$chosen' : 'bench'};
  }
}
`;
}

/** Until 1.23.4 TLS 1.3 was off unless it was asked for. */
function tls({ cert, key }: CertificateFiles): string {
  return `\
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
`;
}

function sniMap(rules: number): string {
  const lines = sniNames(rules).map((name) => `    ${name} bench;\n`);
  return `\
  map_hash_max_size 8192;
  map_hash_bucket_size 128;
  map $ssl_preread_server_name $chosen {
${lines.join('')}  }
`;
}
