/** nginx with one server, of connections or of HTTP. */
import { type Peer, versionOf } from './peer.ts';

const build = versionOf('nginx', '-V') ?? '';
export const hasNginx = build !== '';
export const hasNginxStream = build.includes('--with-stream');
/** What a configuration with a section `stream` begins with. */
export const loadStreamModule = build.includes('--with-stream=dynamic')
  ? 'load_module modules/ngx_stream_module.so;'
  : '';

/** `section` is `stream`, or `http` without logs and with its files in the peer's folder. */
export async function startNginx(
  peer: Peer,
  port: number,
  section: 'stream' | 'http',
  server: string,
): Promise<void> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (use) => `${use}_temp_path ${peer.path(use)};`,
  );
  const settings = section === 'http' ? ['access_log off;', ...temporary] : [];
  const config = `\
${section === 'stream' ? loadStreamModule : ''}
daemon off;
master_process off;
pid ${peer.path('pid')};
error_log stderr;
events {}
${section} { ${settings.join(' ')} server { ${server} } }
`;
  await peer.start('nginx', ['-c', peer.file('nginx.conf', config)], [port]);
}
