import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { encodeLocalHeader, encodeProxyHeader } from '../../../src/core/wire/proxy-writing.ts';
import { startBackend, type TestBackend } from '../../support/backends.ts';
import { hasIpv6 } from '../../support/ipv6.ts';
import { Peer, versionOf } from './peer.ts';
import {
  answerTo,
  endsOf,
  headerFrom,
  ipv4Ends,
  ipv6Ends,
  mixedEnds,
  open,
  payload,
  written,
} from './proxy-headers.ts';

const build = versionOf('nginx', '-V') ?? '';
const hasNginx = build.includes('--with-stream');

describe.skipIf(!hasNginx)('nginx (skipped where it, or its stream module, is not installed)', () => {
  const peer = new Peer();
  let backend: TestBackend;
  let ports: readonly number[] = [];

  beforeAll(async () => {
    backend = await startBackend(() => {});
    ports = await freePorts(2);
    const [sending, reading] = ports;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (use) => `${use}_temp_path ${peer.path(use)};`,
    );
    const config = `
${build.includes('--with-stream=dynamic') ? 'load_module modules/ngx_stream_module.so;' : ''}
daemon off;
master_process off;
pid ${peer.path('pid')};
error_log stderr;
events {}
stream {
  server {
    listen 127.0.0.1:${sending};
    ${hasIpv6 ? `listen [::1]:${sending};` : ''}
    listen unix:${peer.path('socket')};
    proxy_pass ${backend.address};
    proxy_protocol on;
  }
}
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${reading} proxy_protocol;
    return 200 "${understood}";
  }
}
`;
    await peer.start('nginx', ['-c', peer.file('nginx.conf', config)], ports);
  });

  afterAll(async () => {
    await peer.stop();
    await backend.close();
  });

  const understood =
    '$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port ;';

  it.each(hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])(
    'is understood when it announces a client at %s',
    async (host) => {
      const client = open({ host, port: ports[0] ?? 0 });
      const { finding, rest } = await headerFrom(backend, client);
      expect(finding).toMatchObject({ header: { source: 'proxied', ...endsOf(client) } });
      expect(rest).toBe(payload);
    },
  );

  it('is understood when it can not say who the client of a unix socket is', async () => {
    const { finding, rest } = await headerFrom(backend, open({ path: peer.path('socket') }));
    expect(finding).toMatchObject({ header: { source: 'own' } });
    expect(rest).toBe(payload);
  });

  it.each(['v1', 'v2'] as const)('understands what is announced to it in %s', async (version) => {
    const tlvs = { authority: 'api.example.com', checksum: true };
    for (const each of [ipv4Ends, ipv6Ends]) {
      expect(await answerTo(ports[1] ?? 0, encodeProxyHeader(version, each, tlvs))).toContain(
        `${written(each)} ;`,
      );
    }
    const promoted = await answerTo(ports[1] ?? 0, encodeProxyHeader(version, mixedEnds));
    expect(promoted).toMatch(/2001:db8::1 1234 ::ffff:(?:192\.0\.2\.2|c000:202) 443 ;/);
  });

  it('serves connections on which no address is announced', async () => {
    const unix = { address: 'unix', port: 0, path: '/run/client.sock' };
    for (const version of ['v1', 'v2'] as const) {
      const announced = encodeProxyHeader(version, { client: unix, destination: unix });
      const unspecified = encodeProxyHeader(version, { client: unix, destination: mixedEnds.destination });
      for (const header of [encodeLocalHeader(version), announced, unspecified]) {
        expect(await answerTo(ports[1] ?? 0, header)).toMatch(/^HTTP\/1\.1 200 /);
      }
    }
  });
});
