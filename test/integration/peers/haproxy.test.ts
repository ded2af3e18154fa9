import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { ProxyHeaderParser } from '../../../src/core/wire/proxy-reading.ts';
import { encodeLocalHeader, encodeProxyHeader } from '../../../src/core/wire/proxy-writing.ts';
import { startBackend, type TestBackend } from '../../support/backends.ts';
import { selfSigned } from '../../support/certificate.ts';
import { hasIpv6 } from '../../support/ipv6.ts';
import { Peer, versionOf } from './peer.ts';
import {
  answerTo,
  endsOf,
  endsWithTest,
  headerAt,
  headerFrom,
  ipv4Ends,
  ipv6Ends,
  mixedEnds,
  open,
  payload,
  written,
} from './proxy-headers.ts';

const hasHaproxy = versionOf('haproxy', '-v') !== undefined;

describe.skipIf(!hasHaproxy)('HAProxy (skipped where it is not installed)', () => {
  const peer = new Peer();
  let backend: TestBackend;
  let checked: TestBackend;
  let ports: readonly number[] = [];

  beforeAll(async () => {
    backend = await startBackend(() => {});
    checked = await startBackend(() => {});
    ports = await freePorts(4);
    const [v1, v2, tls, reading] = ports;
    const { cert, key } = selfSigned('api.example.com');
    const pem = peer.file('pair.pem', cert + key);
    const everything = 'proxy-v2-options crc32c,authority,unique-id,ssl,ssl-cipher,cert-sig,cert-key,cert-cn';
    const on = (port: number | undefined, more = '') =>
      [`bind 127.0.0.1:${port} ${more}`, ...(hasIpv6 ? [`bind [::1]:${port} ${more}`] : [])].join('\n  ');
    const config = `\
global
  maxconn 100
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen v1
  ${on(v1)}
  server one ${backend.address} send-proxy
listen v2
  ${on(v2)}
  bind unix@${peer.path('socket')}
  unique-id-format %[src_port]-%[dst_port]
  server one ${backend.address} send-proxy-v2 proxy-v2-options crc32c,unique-id
listen tls
  ${on(tls, `ssl crt ${pem} alpn h2`)}
  unique-id-format connection-%[src_port]
  server one ${backend.address} send-proxy-v2 ${everything}
listen checking
  bind unix@${peer.path('checking')}
  server one ${checked.address} send-proxy-v2 check check-send-proxy inter 100ms
frontend reading
  mode http
  bind 127.0.0.1:${reading} accept-proxy
  http-request return status 200 content-type text/plain lf-string "${understood}"
`;
    await peer.start('haproxy', ['-db', '-f', peer.file('haproxy.cfg', config)], ports);
  });

  afterAll(async () => {
    await peer.stop();
    await Promise.all([backend, checked].map((one) => one.close()));
  });

  const understood =
    '%[src] %[src_port] %[dst] %[dst_port] authority=%[fc_pp_authority] id=%[fc_pp_unique_id] ;';

  it.each(['v1', 'v2'])('is understood when it announces an IPv4 client in %s', async (version) => {
    const client = open({ host: '127.0.0.1', port: ports[version === 'v1' ? 0 : 1] ?? 0 });
    const { finding, rest } = await headerFrom(backend, client);
    expect(finding).toMatchObject({ header: { source: 'proxied', ...endsOf(client) } });
    expect(rest).toBe(payload);
  });

  it.skipIf(!hasIpv6).each(['v1', 'v2'])(
    'is understood when it announces an IPv6 client in %s',
    async (version) => {
      const client = open({ host: '::1', port: ports[version === 'v1' ? 0 : 1] ?? 0 });
      const { finding } = await headerFrom(backend, client);
      expect(finding).toMatchObject({ header: { source: 'proxied', ...endsOf(client) } });
    },
  );

  it('is understood when it names the connection and seals the header', async () => {
    const client = open({ host: '127.0.0.1', port: ports[1] ?? 0 });
    const { finding, header } = await headerFrom(backend, client);
    const id = Buffer.from(`${client.localPort}-${client.remotePort}`);
    expect(finding).toMatchObject({ header: { uniqueId: Uint8Array.from(id) } });
    for (const at of [16, 27, header.length - 1]) {
      const other = Uint8Array.from(header);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(new ProxyHeaderParser().read(other), `byte ${at} changed`).toEqual({ state: 'broken' });
    }
  });

  it('is understood when it tells of TLS: name, protocol, version, cipher, certificate', async () => {
    const client = connectTls({
      ...{ host: '127.0.0.1', port: ports[2] ?? 0, servername: 'api.example.com' },
      ...{ ALPNProtocols: ['h2'], rejectUnauthorized: false },
    });
    endsWithTest(client);
    const { finding, rest } = await headerFrom(backend, client);
    expect(finding).toMatchObject({
      header: {
        ...{ source: 'proxied', ...endsOf(client), authority: 'api.example.com', alpn: 'h2' },
        uniqueId: Uint8Array.from(Buffer.from(`connection-${client.localPort}`)),
      },
    });
    expect(rest).toBe(payload);
  });

  it('is understood when it can not say who the client of a unix socket is', async () => {
    const { finding, rest } = await headerFrom(backend, open({ path: peer.path('socket') }));
    expect(finding).toMatchObject({ state: 'complete', header: { source: 'own' } });
    expect(rest).toBe(payload);
  });

  it('is understood when it checks health', async () => {
    const [socket] = await once(checked.server, 'connection');
    expect(await headerAt(socket, 0)).toMatchObject({ finding: { header: { source: 'own' } }, rest: '' });
  });

  it.each(['v1', 'v2'] as const)('understands what is announced to it in %s', async (version) => {
    for (const each of [ipv4Ends, ipv6Ends]) {
      const answer = await answerTo(ports[3] ?? 0, encodeProxyHeader(version, each));
      expect(answer).toContain(`${written(each)} authority= id= ;`);
    }
    const promoted = await answerTo(ports[3] ?? 0, encodeProxyHeader(version, mixedEnds));
    expect(promoted).toContain('2001:db8::1 1234 ::ffff:192.0.2.2 443 ');
  });

  it('understands authority, unique id, protocol and checksum', async () => {
    const tlvs = { authority: 'api.example.com', alpn: 'h2', uniqueId: Uint8Array.from(Buffer.from('id-1')) };
    const sealed = encodeProxyHeader('v2', ipv4Ends, { ...tlvs, checksum: true });
    expect(await answerTo(ports[3] ?? 0, sealed)).toContain('authority=api.example.com id=id-1 ;');
    sealed[17] = (sealed[17] ?? 0) ^ 1;
    expect(await answerTo(ports[3] ?? 0, sealed)).toBe('');
  });

  it('keeps its own addresses when nobody is announced', async () => {
    const port = ports[3] ?? 0;
    const unix = { address: 'unix', port: 0 };
    // Of version 2 it takes no family but IPv4 and IPv6, not even UNSPEC.
    const unknown = encodeProxyHeader('v1', { client: unix, destination: unix });
    for (const header of [encodeLocalHeader('v1'), encodeLocalHeader('v2'), unknown]) {
      expect(await answerTo(port, header)).toMatch(
        new RegExp(`127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${port} `),
      );
    }
  });
});
