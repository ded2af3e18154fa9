/**
 * The one backend of the bench. The first byte of a connection says what it wants, so that every scenario
 * runs on the same port:
 *
 *     G  HTTP keep-alive: each request gets the same short answer; `Connection: close` ends the connection
 *     D  download: `D` and a number of bytes and a newline; that many bytes come, then FIN
 *     U  upload: all that comes is thrown away
 *     E  echo
 *     0x16, a TLS handshake: one short answer in plain text, which ends the connection
 *
 * `wrk` asks for no more than short answers, but for more of them than Node can give: it gets a backend in C.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { CertificateFiles } from '../subjects/subject.ts';
import { program } from './program.ts';

export interface BackendJob {
  /** Where clients come with TLS and nobody before it has taken that off. */
  readonly tls?: CertificateFiles;
  /** The executable of `backend.c`, which takes the place of this one. */
  readonly lean?: string;
}

program<BackendJob, { port: number }>(
  ({ tls, lean }) =>
    new Promise((resolve, reject) => {
      if (lean !== undefined) return void leanPort(lean).then((port) => resolve({ port }), reject);
      const options = { allowHalfOpen: false, noDelay: true };
      const server =
        tls === undefined
          ? createServer(options, serve)
          : createTlsServer({ ...options, cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, serve);
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
        // A TCP server that listens has an AddressInfo.
        resolve({ port: (server.address() as AddressInfo).port });
      });
    }),
);

/** It is a child, so that it counts as this one where usage is read, and ends with it. */
async function leanPort(executable: string): Promise<number> {
  const backend = spawn(executable, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(backend.stdout, 'data')) as [Buffer];
  return Number(port.toString());
}

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('data', (first) => {
    const role = String.fromCharCode(first[0] ?? 0);
    if (role === 'G') return answer(socket, first);
    if (role === 'D') return stream(socket, Number.parseInt(first.toString('latin1', 1), 10));
    if (role === 'U') return discard(socket);
    if (role === '\x16') return void socket.end(response);
    if (role === 'E') {
      socket.write(first);
      return void socket.pipe(socket);
    }
    socket.destroy();
  });
}

const headAndBody = [
  'HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain\r\n',
  '\r\nHello, world\n',
];
const response = Buffer.from(headAndBody.join(''));
const lastResponse = Buffer.from(headAndBody.join('Connection: close\r\n'));
const blankLine = Buffer.from('\r\n\r\n');

/** A request has no body here, so that each blank line ends one; none is longer than a segment. */
function answer(socket: Socket, first: Buffer): void {
  let rest: Buffer | undefined;
  const onChunk = (chunk: Buffer): void => {
    let bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    rest = undefined;
    for (let end = bytes.indexOf(blankLine); end !== -1; end = bytes.indexOf(blankLine)) {
      if (bytes.includes('Connection: close')) return void socket.end(lastResponse);
      socket.write(response);
      if (end + blankLine.length === bytes.length) return;
      bytes = bytes.subarray(end + blankLine.length);
    }
    rest = bytes;
  };
  onChunk(first);
  socket.on('data', onChunk);
}

const block = Buffer.alloc(256 * 1024, 'sluice ');

function stream(socket: Socket, count: number): void {
  let left = count;
  const fill = (): void => {
    while (left > 0) {
      const piece = left >= block.length ? block : block.subarray(0, left);
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
    socket.end();
  };
  socket.on('drain', fill);
  socket.resume();
  fill();
}

const bin = Buffer.alloc(256 * 1024);

/**
 * Node reads into one buffer, again and again, for sockets that dial only (`onread`). An accepted connection
 * gets there through its handle, which is no public thing; it is worth it here, as the usual way is half as
 * slow again (1.3 against 1.9 GiB/s on the load's core) and would be what an upload measures.
 */
function discard(socket: Socket): void {
  const internals = socket as unknown as { _handle: object | null };
  const handle = internals._handle;
  socket.pause();
  internals._handle = null;
  // `handle` is an option that net.Socket takes and its types leave out.
  const options = { handle, onread: { buffer: bin, callback: () => true } } as object;
  const reader = new Socket(options);
  reader.on('error', () => reader.destroy());
  reader.resume();
}
