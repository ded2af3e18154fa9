/** The real client's address on its way: another proxy in front of sluice, another server behind it. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { ending } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import { hasIpv6 } from '../../support/ipv6.ts';
import type { LogLine } from '../../support/sluice.ts';
import { web } from '../examples/web.ts';
import { openScene } from '../scene.ts';
import { hasNginxStream, startNginx } from './nginx.ts';
import { Peer, versionOf } from './peer.ts';

const versions = ['v1', 'v2'] as const;
const scene = openScene();

/** Programs by what they can do here; those that are not installed are left out. */
const programs = [
  { program: 'HAProxy', sent: 'v1', isHere: versionOf('haproxy', '-v') !== undefined },
  { program: 'HAProxy', sent: 'v2', isHere: versionOf('haproxy', '-v') !== undefined },
  { program: 'nginx', sent: 'v1', isHere: hasNginxStream },
] as const;
type Program = (typeof programs)[number]['program'];

for (const { program, sent, isHere } of programs) {
  describe.skipIf(!isHere)(
    `behind ${program}, which sends ${sent} (skipped where it is not installed)`,
    () => {
      it('logs, limits and denies by the real client', async () => {
        const backend = await scene.backend(web('ok'));
        const proxy = await scene.proxy({
          backends: [backend.address],
          listener: { proxyProtocol: { mode: 'required', from: ['127.0.0.1'] }, deny: ['127.0.0.9'] },
        });
        const port = await startInFront(program, sent, proxy.port);
        const served = await ask(clientOf(port, '127.0.0.7'));
        expect(served.text).toMatch(/ok\n$/);
        const denied = await ask(clientOf(port, '127.0.0.9'));
        expect(denied.text).toBe('');
        expect(await lineOf(served.at)).toMatchObject({ reason: 'finished' });
        expect(await lineOf(denied.at)).toMatchObject({ reason: 'denied' });
      });
    },
  );
}

describe.skipIf(!programs[1].isHere)(
  'behind HAProxy, which checks (skipped where it is not installed)',
  () => {
    it('is well, and takes its checks for nobody’s', async () => {
      const backend = await scene.backend(web('ok'));
      const proxy = await scene.proxy({
        backends: [backend.address],
        listener: { proxyProtocol: { mode: 'required', from: ['127.0.0.1'] } },
      });
      const port = await startInFront('HAProxy', 'v2', proxy.port, 'check inter 50ms');
      await proxy.closed(2);
      expect((await ask(clientOf(port, '127.0.0.7'))).text).toMatch(/ok\n$/);
      expect(await proxy.reasons()).not.toHaveProperty('bad-proxy-header');
    });
  },
);

for (const { program, isHere } of programs.slice(1)) {
  describe.skipIf(!isHere)(`in front of ${program} (skipped where it is not installed)`, () => {
    it.each(versions)('tells it of the real client in %s, and checks it', async (version) => {
      const proxy = await scene.proxy({
        backends: [`127.0.0.1:${await startBehind(program)}`],
        pool: { connect: { proxyProtocol: version }, healthCheck: { type: 'http', interval: '100ms' } },
      });
      await eventually(async () => expect((await proxy.backend()).health).toBe('up'));
      const { text, at } = await ask(clientOf(proxy.port, '127.0.0.7'));
      expect(text).toMatch(new RegExp(`^client=${at} `, 'm'));
    });

    it('finds it down when neither sessions nor checks are announced', async () => {
      const proxy = await scene.proxy({
        backends: [`127.0.0.1:${await startBehind(program)}`],
        pool: { healthCheck: { type: 'http', interval: '100ms' } },
      });
      await eventually(async () => expect((await proxy.backend()).health).toBe('down'));
    });

    it.skipIf(!hasIpv6).each(versions)('tells it of an IPv6 client in %s', async (version) => {
      const proxy = await scene.proxy({
        backends: [`127.0.0.1:${await startBehind(program)}`],
        listener: { bind: '[::1]:0' },
        pool: { connect: { proxyProtocol: version } },
      });
      const client = scene.client({ port: proxy.port, host: '::1' });
      const { text, at } = await ask(client);
      expect(text).toMatch(new RegExp(`^client=${at} `, 'm'));
    });
  });
}

describe.skipIf(!programs[1].isHere)(
  'between HAProxy and HAProxy (skipped where it is not installed)',
  () => {
    it('passes on client, name of the connection and checksum', async () => {
      const proxy = await scene.proxy({
        backends: [`127.0.0.1:${await startBehind('HAProxy')}`],
        listener: { proxyProtocol: { mode: 'required', from: ['127.0.0.1'] } },
        pool: { connect: { proxyProtocol: { version: 'v2', include: ['unique-id', 'crc32c'] } } },
      });
      const options = 'proxy-v2-options crc32c,unique-id';
      const { text, at } = await ask(
        clientOf(await startInFront('HAProxy', 'v2', proxy.port, options), '127.0.0.7'),
      );
      const id = `id-${at.split(':')[1]}`;
      expect(text).toMatch(new RegExp(`^client=${at} id=${id} `, 'm'));
      expect(await lineOf(at)).toMatchObject({ uniqueId: id });
    });
  },
);

/** A client at an address of this machine that others don't have. */
function clientOf(port: number, localAddress: string): Socket {
  return scene.client({ port, host: '127.0.0.1', localAddress });
}

/** What a server says to a request, and where the client is that made it. */
async function ask(client: Socket): Promise<{ readonly text: string; readonly at: string }> {
  let at = '';
  client.once('connect', () => {
    at = `${client.localAddress}:${client.localPort}`;
  });
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const { text } = await ending(client);
  return { text, at };
}

/** The log line of the client that was there; others are of those who looked whether a peer listens. */
function lineOf(client: string): Promise<LogLine> {
  return scene.sluice.logged((line) => line.msg === 'session closed' && line['client'] === client);
}

/** A proxy that announces its clients to the port; its own port. */
async function startInFront(program: Program, sent: 'v1' | 'v2', target: number, more = ''): Promise<number> {
  const [port = 0] = await freePorts(1);
  if (program === 'nginx') {
    const server = `listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${target}; proxy_protocol on;`;
    await startNginx(newPeer(), port, 'stream', server);
  } else {
    const flag = sent === 'v1' ? 'send-proxy' : 'send-proxy-v2';
    const section = `\
listen front
  mode tcp
  bind 127.0.0.1:${port}
  unique-id-format id-%[src_port]
  server one 127.0.0.1:${target} ${flag} ${more}
`;
    await startHaproxy(port, section);
  }
  return port;
}

/** A server that takes no connection without a header, and answers with what that announced. */
async function startBehind(program: Program): Promise<number> {
  const [port = 0] = await freePorts(1);
  if (program === 'nginx') {
    const answer = 'client=$proxy_protocol_addr:$proxy_protocol_port ;';
    await startNginx(
      newPeer(),
      port,
      'http',
      `listen 127.0.0.1:${port} proxy_protocol; return 200 "${answer}";`,
    );
  } else {
    const answer = 'client=%[src]:%[src_port] id=%[fc_pp_unique_id] ;';
    const section = `\
frontend behind
  mode http
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "${answer}"
`;
    await startHaproxy(port, section);
  }
  return port;
}

async function startHaproxy(port: number, section: string): Promise<void> {
  const peer = newPeer();
  const defaults = 'defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n';
  const file = peer.file('haproxy.cfg', `global\n  maxconn 100\n  nbthread 1\n${defaults}${section}`);
  await peer.start('haproxy', ['-db', '-f', file], [port]);
}

function newPeer(): Peer {
  const peer = new Peer();
  scene.afterwards(() => peer.stop());
  return peer;
}
