import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { printed, type Subject } from './subject.ts';

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
    launch({ listenPort, backendPort, directory }) {
      const text = `\
${loadModule}daemon off;
worker_processes ${workers};
worker_rlimit_nofile 20000;
pid ${join(directory, 'nginx.pid')};
error_log stderr emerg;
events { worker_connections 12000; }
stream {
  server {
    listen 127.0.0.1:${listenPort} backlog=4096;
    proxy_pass 127.0.0.1:${backendPort};
  }
}
`;
      return {
        command: 'nginx',
        args: ['-p', directory, '-e', 'stderr', '-c', join(directory, 'nginx.conf')],
        config: { file: 'nginx.conf', text },
        otherText: text.replace('worker_connections 12000', 'worker_connections 11999'),
      };
    },
  };
}
