/** nginx with one server, of connections or of HTTP. */
import { type Peer, versionOf } from './peer.ts';

const build = versionOf('nginx', '-V') ?? '';
export const hasNginx = build !== '';
export const hasNginxStream = build.includes('--with-stream');

/** `section` is `stream`, or `http` without logs and with its files in the peer's folder. */
export async function startNginx(
  peer: Peer,
  port: number,
  section: 'stream' | 'http',
  server: string,
): Promise<void> {
  const module = build.includes('--with-stream=dynamic') ? 'load_module modules/ngx_stream_module.so;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (use) => `${use}_temp_path ${peer.path(use)};`,
  );
  const settings = section === 'http' ? ['access_log off;', ...temporary] : [];
  const config = `\
${section === 'stream' ? module : ''}
daemon off;
master_process off;
pid ${peer.path('pid')};
error_log stderr;
events {}
${section} { ${settings.join(' ')} server { ${server} } }
`;
  await peer.start('nginx', ['-c', peer.file('nginx.conf', config)], [port]);
}
