import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ProbeHttp } from '../../../../src/config/config.ts';
import type { Address } from '../../../../src/core/contract.ts';
import { selfSigned } from '../../../support/certificate.ts';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline, probe } from '../../../support/probing.ts';

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

  it.each([
    ['a body that goes on for ever', 'HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nhalf', 'stay'],
    ['headers that go on for ever', 'HTTP/1.1 200 OK\r\nserver: ', 'stay'],
    ['a body shorter than said', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', 'end'],
    ['a body longer than said', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nmore', 'end'],
    ['chunks that are none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n', 'end'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx', 'end'],
    ['304 with a length', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n', 'stay'],
    ['lines that end with LF', 'HTTP/1.1 200 OK\nserver: old\n\nbody', 'end'],
    ['no headers and no body', 'HTTP/1.0 200 OK\r\n', 'end'],
    ['nothing but a status', 'HTTP/1.0 200', 'end'],
    ['a status without a reason', 'HTTP/1.1 200\r\n\r\n', 'stay'],
    ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'stay'],
    ['100 first', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'stay'],
    ['103 with headers first', 'HTTP/1.1 103 Early Hints\nlink: </a>\n\nHTTP/1.1 200 OK\n\n', 'stay'],
    ['headers that are none', 'HTTP/1.1 200 OK\r\n\0\r\n: x\r\n\r\n', 'end'],
  ])('judges the status line alone: it passes on %s', async (_what, answer, then) => {
    const address = await listening(
      createTcpServer((socket) =>
        socket.once('data', () => (then === 'end' ? socket.end(answer) : socket.write(answer))),
      ),
    );
    await http(address);
    await closed(address.open);
  });

  it('judges the status behind informational ones, and an informational one that is expected', async () => {
    const answer = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Unavailable\r\n\r\n';
    const address = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.end(answer))),
    );
    await expect(http(address)).rejects.toThrow('Expected status 200-399, found 503');
    await http(address, { expectStatus: [{ from: 103, to: 103 }] });
  });

  it('does not wait for the end of a body without end', async () => {
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

  it('leaves a server that has answered with FIN, so that nothing stands in its log', async () => {
    const server = createTcpServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo'));
    });
    const address = await listening(server);
    const connection = once(server, 'connection', { signal: deadline() });
    await http(address);
    const [socket] = await connection;
    socket.write('dy');
    // A reset would be an error, and fail this.
    await once(socket, 'end', { signal: deadline() });
  });

  it('fails when the server closes without a word', async () => {
    const address = await listening(createTcpServer((socket) => socket.once('data', () => socket.end())));
    await expect(http(address)).rejects.toThrow('Connection closed before the response was complete');
  });

  it('fails when the server does not speak HTTP', async () => {
    const address = await listening(createTcpServer((socket) => socket.end('220 ready\r\n')));
    await expect(http(address)).rejects.toThrow('Expected a status line of HTTP, found "220 ready"');
  });

  it.each([
    ['silent', ''],
    ['stuck in its status line', 'HTTP/1.1 200'],
    ['stuck after an informational answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
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
  const trusting = { verify: true, ca: certificate.cert };

  it('asks for a backend by its name, verifies that, and names it in the Host header', async () => {
    const seen: string[] = [];
    const server = createHttpsServer(certificate, answering(200, seen));
    const names: unknown[] = [];
    server.on('secureConnection', ({ servername }) => names.push(servername));
    const address = await listening(server);
    const backend = { ...address, hostName: 'app.internal' };
    await probe(backend, { type: 'https', http: healthz, tls: trusting });
    expect(seen).toEqual([`GET /healthz app.internal:${address.port} close`]);
    expect(names).toEqual(['app.internal']);
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
