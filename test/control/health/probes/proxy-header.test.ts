import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { ProbeConfig } from '../../../../src/config/config.ts';
import type { BackendTls } from '../../../../src/core/plan.ts';
import { encodeLocalHeader } from '../../../../src/core/wire/proxy-writing.ts';
import { selfSigned } from '../../../support/certificate.ts';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline, probe } from '../../../support/probing.ts';

const certificate = selfSigned('app.internal');
const tls = { servername: 'app.internal', verify: true, ca: certificate.cert };
const http = { method: 'GET', path: '/', host: undefined, expectStatus: [{ from: 200, to: 299 }] } as const;
const local = Buffer.from(encodeLocalHeader('v2'));

/** Reads so many bytes; they are all that came in until then. */
async function read(server: Server, length: number): Promise<Buffer> {
  const [socket] = await once(server, 'connection', { signal: deadline() });
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) {
    const [more] = await once(socket, 'data', { signal: deadline() });
    bytes = Buffer.concat([bytes, more]);
  }
  return bytes;
}

/** Takes the header off and serves what is behind it, over TLS or as it is. */
function behindHeader(header: Buffer, secure: boolean): Server {
  return createServer((socket) => {
    socket.once('readable', () => {
      const found = socket.read(header.length);
      if (!header.equals(found ?? Buffer.alloc(0))) {
        socket.destroy();
        return;
      }
      const plain = secure ? new TLSSocket(socket, { ...certificate, isServer: true }) : socket;
      plain.on('error', () => {});
      plain.once('data', () => plain.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
    });
  });
}

describe('a probe of a backend that expects a PROXY header', () => {
  it('says in v2 that no client stands behind it', async () => {
    const server = createServer();
    const address = { ...(await listening(server)), proxyProtocol: 'v2' } as const;
    const [bytes] = await Promise.all([
      read(server, local.length),
      probe(address, { type: 'tcp' }, deadline()),
    ]);
    expect(bytes).toEqual(local);
  });

  it.each(['127.0.0.1', '::1'])('announces its own ends in v1 from %s', async (host) => {
    const server = createServer();
    const address = { ...(await listening(server, host)), proxyProtocol: 'v1' } as const;
    const connected = once(server, 'connection');
    const line = /^PROXY TCP([46]) (\S+) (\S+) (\d+) (\d+)\r\n$/;
    const [bytes] = await Promise.all([read(server, 32), probe(address, { type: 'tcp' }, deadline())]);
    const [socket] = await connected;
    const [, family, ...ends] = line.exec(bytes.toString()) ?? [];
    expect(family).toBe(host === '::1' ? '6' : '4');
    expect(ends).toEqual([host, host, `${socket.remotePort}`, `${address.port}`]);
  });

  it('announces UNKNOWN in v1 on a unix socket', async () => {
    const server = createServer();
    const address = { ...(await listeningOnPath(server)), proxyProtocol: 'v1' } as const;
    const [bytes] = await Promise.all([read(server, 15), probe(address, { type: 'tcp' }, deadline())]);
    expect(bytes.toString()).toBe('PROXY UNKNOWN\r\n');
  });

  it('sends the header once, ahead of its own bytes', async () => {
    const server = createServer((socket) => socket.write('+PONG\r\n'));
    const address = { ...(await listening(server)), proxyProtocol: 'v2' } as const;
    const check = { type: 'send-expect', send: 'PING\r\n', expect: '+PONG' } as const;
    const expected = Buffer.concat([local, Buffer.from('PING\r\n')]);
    const [bytes] = await Promise.all([read(server, expected.length), probe(address, check, deadline())]);
    expect(bytes).toEqual(expected);
  });

  it.each<ProbeConfig & { readonly tls?: Partial<BackendTls> }>([
    { type: 'http', http },
    { type: 'https', http, tls },
  ])('sends the header before a request by $type', async (check) => {
    const address = await listening(behindHeader(local, check.type === 'https'));
    await probe({ ...address, proxyProtocol: 'v2' }, check, deadline());
    await expect(probe(address, check, deadline())).rejects.toThrow();
  });

  it('sends the header before a TLS handshake', async () => {
    const secure = createTlsServer(certificate);
    const server = createServer((socket) => {
      socket.once('readable', () => {
        const header = socket.read(local.length);
        if (local.equals(header ?? Buffer.alloc(0))) secure.emit('connection', socket);
        else socket.destroy();
      });
    });
    const address = { ...(await listening(server)), proxyProtocol: 'v2' } as const;
    const secured = once(secure, 'secureConnection', { signal: deadline() });
    await Promise.all([secured, probe(address, { type: 'tls', tls }, deadline())]);
  });
});
