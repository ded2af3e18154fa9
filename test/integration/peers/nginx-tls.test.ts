import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { ending } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import { installed, output } from '../../support/programs.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { certifiedFolder } from '../examples/example.ts';
import { openScene, type Proxied } from '../scene.ts';
import { hasNginx, startNginx } from './nginx.ts';
import { Peer } from './peer.ts';

const canRun = hasNginx && installed('openssl', 'curl');

describe.skipIf(!canRun)('nginx as a backend that wants TLS (skipped where it is not installed)', () => {
  const afterwards = suiteEnds();
  const scene = openScene();
  let folder: string;
  let backend: string;

  /** It wants a PROXY header, then TLS with a certificate of ours, and says what it learned. */
  beforeAll(async () => {
    folder = await certifiedFolder();
    afterwards(() => rmSync(folder, { recursive: true }));
    const peer = new Peer();
    afterwards(() => peer.stop());
    const [port = 0] = await freePorts(1);
    backend = `127.0.0.1:${port}`;
    const server = [
      `listen ${backend} ssl proxy_protocol`,
      `ssl_certificate ${certificate('backend.pem')}`,
      `ssl_certificate_key ${certificate('backend.key')}`,
      `ssl_client_certificate ${certificate('clients.pem')}`,
      'ssl_verify_client optional',
      'return 200 "$proxy_protocol_addr:$proxy_protocol_port $ssl_server_name $ssl_client_s_dn ;"',
    ];
    await startNginx(peer, port, 'http', `${server.join('; ')};`);
  });

  const certificate = (name: string): string => join(folder, 'certs', name);
  const trusted = () => ({ servername: 'app.internal', ca: certificate('ca.pem') });

  function proxyTo(tls: object, pool: object = {}, listener: object = {}): Promise<Proxied> {
    const connect = { proxyProtocol: 'v2', tls, retries: 0 };
    return scene.proxy({ backends: [backend], listener, pool: { connect, ...pool } });
  }

  async function ask({ port }: Proxied) {
    const client = scene.client({ port, host: '127.0.0.1', localAddress: '127.0.0.7' });
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    return ending(client);
  }

  it('learns of the real client ahead of TLS, and sees the certificate of sluice', async () => {
    const ours = { cert: certificate('client.pem'), key: certificate('client.key') };
    const { text } = await ask(await proxyTo({ ...trusted(), ...ours }));
    expect(text).toMatch(/^127\.0\.0\.7:\d+ app\.internal CN=alice ;$/m);
  });

  it('is checked over TLS behind the header', async () => {
    const check = { type: 'https', interval: '100ms', host: 'app.internal', tls: trusted() };
    const proxy = await proxyTo(trusted(), { healthCheck: check });
    await eventually(async () => expect((await proxy.backend()).health).toBe('up'));
    expect((await ask(proxy)).text).toMatch(/^127\.0\.0\.7:/m);
  });

  it.each([
    { what: 'another name', tls: () => ({ ...trusted(), servername: 'db.internal' }) },
    { what: 'another authority', tls: () => ({ ...trusted(), ca: certificate('clients.pem') }) },
    { what: 'no authority that is known', tls: () => ({ servername: 'app.internal' }) },
  ])('is not spoken to where its certificate is for $what', async ({ tls }) => {
    const proxy = await proxyTo(tls());
    expect(await ask(proxy)).toEqual({ text: '', reset: true });
    expect(await proxy.ended(1)).toEqual({ 'connect-failed': 1 });
  });

  it('is spoken to all the same without verification', async () => {
    const { text } = await ask(await proxyTo({ servername: 'db.internal', verify: false }));
    expect(text).toContain(' db.internal ');
  });

  it('gets what a client said over TLS, over TLS again', async () => {
    const tls = { certificates: [{ cert: certificate('a.pem'), key: certificate('a.key') }] };
    const proxy = await proxyTo(trusted(), {}, { tls });
    const ask = ['-sS', '--cacert', certificate('ca.pem'), '--interface', '127.0.0.7'];
    const said = await output('curl', [...ask, `https://localhost:${proxy.port}/`]);
    expect(said).toMatch(/^127\.0\.0\.7:\d+ app\.internal/);
    expect((await proxy.closed())[0]).toMatchObject({ sni: 'localhost', reason: 'finished' });
  });
});
