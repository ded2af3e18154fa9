import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ProbeHttp, ProbeTls } from '../../../../src/config/config.ts';
import { probe } from '../../../../src/control/health/probes/probe.ts';
import type { Address } from '../../../../src/core/contract.ts';
import { selfSigned } from '../../../support/certificate.ts';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline } from '../../../support/probing.ts';

const healthz: ProbeHttp = {
  method: 'GET',
  path: '/healthz',
  host: undefined,
  expectStatus: [{ from: 200, to: 399 }],
};

const http = (address: Address, changes: Partial<ProbeHttp> = {}, signal = deadline()) =>
  probe(address, { type: 'http', http: { ...healthz, ...changes } }, signal);

/** Answers with this status and remembers `METHOD path host connection`. */
function answering(status: number, seen: string[] = []): RequestListener {
  return (request, response) => {
    const { host, connection } = request.headers;
    seen.push(`${request.method} ${request.url} ${host} ${connection}`);
    response.writeHead(status, { location: '/elsewhere' }).end('body');
  };
}

describe('the http probe', () => {
  it('asks for the path on a connection of its own and closes it', async () => {
    const seen: string[] = [];
    const server = createServer(answering(200, seen));
    const connections: unknown[] = [];
    server.on('connection', (socket) => connections.push(socket));
    const address = await listening(server);
    await http(address);
    await http(address, { method: 'HEAD', host: 'app.internal' });
    expect(seen).toEqual([
      `GET /healthz 127.0.0.1:${address.port} close`,
      'HEAD /healthz app.internal close',
    ]);
    expect(connections).toHaveLength(2);
    await closed(address.open);
  });

  it('asks over IPv6 and over a unix socket', async () => {
    const seen: string[] = [];
    const v6 = await listening(createServer(answering(200, seen)), '::1');
    await http(v6);
    await http(await listeningOnPath(createServer(answering(200, seen))));
    expect(seen).toEqual([`GET /healthz [::1]:${v6.port} close`, 'GET /healthz localhost close']);
  });

  it('fails on a status that is not expected, and says which were', async () => {
    const address = await listening(createServer(answering(503)));
    await expect(http(address)).rejects.toThrow('Expected status 200-399, found 503');
    const some = [
      { from: 200, to: 200 },
      { from: 300, to: 302 },
    ];
    await expect(http(address, { expectStatus: some })).rejects.toThrow('Expected status 200 or 300-302');
    await http(address, { expectStatus: [{ from: 503, to: 503 }] });
    await closed(address.open);
  });

  it('does not follow redirects', async () => {
    const seen: string[] = [];
    await http(await listening(createServer(answering(301, seen))));
    expect(seen).toHaveLength(1);
  });

  it('reads a bounded part of a body without end', async () => {
    const address = await listening(
      createServer((_request, response) => {
        const pour = () => {
          while (!response.destroyed && response.write('x'.repeat(16_384)));
        };
        response.on('drain', pour).on('error', () => {});
        pour();
      }),
    );
    await http(address);
    await closed(address.open);
  });

  it('fails when the body breaks off', async () => {
    const broken = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf';
    const address = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.end(broken))),
    );
    await expect(http(address)).rejects.toThrow('Connection closed before the response was complete');
  });

  it('fails when the server closes without a word', async () => {
    const address = await listening(createTcpServer((socket) => socket.once('data', () => socket.end())));
    await expect(http(address)).rejects.toThrow('Connection closed before the response was complete');
  });

  it('fails when the server does not speak HTTP', async () => {
    const address = await listening(createTcpServer((socket) => socket.end('220 ready\r\n')));
    await expect(http(address)).rejects.toThrow('Response does not match the HTTP/1.1 protocol');
  });

  it.each([
    ['silent', ''],
    ['stuck in its headers', 'HTTP/1.1 200 OK\r\nserver: '],
    ['stuck in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'],
  ])('stops when the signal aborts while the server is %s', async (_state, text) => {
    const server = createTcpServer((socket) => socket.write(text));
    const address = await listening(server);
    const late = new AbortController();
    const outcome = expect(http(address, {}, late.signal)).rejects.toThrow('Timed out');
    const [socket] = await once(server, 'connection', { signal: deadline() });
    await once(socket, 'data', { signal: deadline() });
    late.abort(new Error('Timed out'));
    await outcome;
    await closed(address.open);
  });
});

describe('the https probe', () => {
  const certificate = selfSigned('app.internal');
  const trusting: ProbeTls = { servername: undefined, verify: true, ca: certificate.cert };

  it('verifies the name in the Host header where no other is given', async () => {
    const seen: string[] = [];
    const address = await listening(createHttpsServer(certificate, answering(200, seen)));
    const request = { ...healthz, host: 'app.internal:8443' };
    await probe(address, { type: 'https', http: request, tls: trusting }, deadline());
    expect(seen).toEqual(['GET /healthz app.internal:8443 close']);
    await closed(address.open);
  });

  it('prefers the name given for TLS', async () => {
    const address = await listening(createHttpsServer(certificate, answering(200)));
    const request = { ...healthz, host: 'app.internal' };
    const tls = { ...trusting, servername: 'db.internal' };
    const outcome = probe(address, { type: 'https', http: request, tls }, deadline());
    await expect(outcome).rejects.toThrow('db.internal');
  });

  it('fails on a status that is not expected', async () => {
    const address = await listening(createHttpsServer(certificate, answering(500)));
    const tls = { ...trusting, verify: false };
    const outcome = probe(address, { type: 'https', http: healthz, tls }, deadline());
    await expect(outcome).rejects.toThrow('Expected status 200-399, found 500');
  });
});

/** Waits until the server has seen the end of all its connections, in order or by a reset. */
async function closed(open: ReadonlySet<Socket>): Promise<void> {
  const giveUp = deadline();
  for (const socket of open) {
    socket.resume();
    await new Promise((resolve, reject) => {
      socket.once('close', resolve);
      giveUp.addEventListener('abort', () => reject(giveUp.reason));
    });
  }
}
