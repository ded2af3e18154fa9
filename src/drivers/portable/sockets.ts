/**
 * The sockets of links. What happens to one is told to its link, which the socket finds by itself, so that all sockets
 * share the functions below: closures for each would cost every idle connection another half kilobyte.
 *
 * Node destroys a socket whose write has failed, and with it what its peer sent before. So `_write` and `_writev`,
 * which every stream may bring itself, tell the failure to the link, and the stream goes on as if nothing were: it
 * is read to its end.
 */
import net from 'node:net';
import type { Address } from '../../core/contract.ts';
import { Endpoint } from '../../core/net/endpoint.ts';
import { keepAliveDelayMs } from '../shared.ts';
import type { ReadBuffers } from './read-buffers.ts';

/** Takes the bytes just read into `buffer`; false stops the reading until the socket is resumed. */
export type ReadCallback = (length: number, buffer: Uint8Array) => boolean;

export type WriteDone = (error?: Error | null) => void;

/** What a socket tells of itself. */
export interface SocketOwner {
  /** A write begins: whether it is to be tried, and what to call then in the place of `done`. */
  beginWrite(done: WriteDone): WriteDone | undefined;
  connected(): void;
  /** All that was written is the kernel's, and FIN too. */
  writeEnded(): void;
  readEnded(): void;
  failed(error: NodeJS.ErrnoException): void;
  socketClosed(): void;
}

const owner = Symbol('owner');
type OwnedSocket = net.Socket & { readonly [owner]: SocketOwner };

/** Has an open socket tell its owner what happens to it. */
export function own(socket: net.Socket, by: SocketOwner): void {
  Object.assign(socket, { [owner]: by, _write: writeOne, _writev: writeMany });
  socket.on('finish', onFinish);
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** A socket that TLS is spoken over: it is written to by others, and only its errors and its close are of interest. */
export function disown(transport: net.Socket): void {
  const { _write, _writev } = net.Socket.prototype;
  Object.assign(transport, { _write, _writev });
  transport.off('finish', onFinish);
  transport.off('end', onEnd);
}

/** Closes, with FIN where nothing waits to be read. */
export function destroy(socket: net.Socket): void {
  net.Socket.prototype.destroy.call(socket);
}

function writeOne(this: OwnedSocket, chunk: unknown, encoding: BufferEncoding, done: WriteDone): void {
  const wrote = this[owner].beginWrite(done);
  if (wrote === undefined) done();
  else net.Socket.prototype._write.call(this, chunk, encoding, wrote);
}

function writeMany(
  this: OwnedSocket,
  chunks: { chunk: unknown; encoding: BufferEncoding }[],
  done: WriteDone,
): void {
  const wrote = this[owner].beginWrite(done);
  if (wrote === undefined) done();
  else net.Socket.prototype._writev?.call(this, chunks, wrote);
}

function onConnect(this: OwnedSocket): void {
  this[owner].connected();
}

function onFinish(this: OwnedSocket): void {
  this[owner].writeEnded();
}

function onEnd(this: OwnedSocket): void {
  this[owner].readEnded();
}

function onError(this: OwnedSocket, error: Error): void {
  this[owner].failed(error);
}

function onClose(this: OwnedSocket): void {
  this[owner].socketClosed();
}

/** Starts connecting. Whatever goes wrong is told to the owner, later. */
export function connect(
  address: Address,
  buffers: ReadBuffers,
  read: ReadCallback,
  by: SocketOwner,
): net.Socket {
  const socket = net.connect({
    ...address,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
    onread: { buffer: buffers.next, callback: read },
  });
  own(socket, by);
  return socket.on('connect', onConnect);
}

/** Reads a socket that has no `onread`. */
export function readByEvent<S extends net.Socket>(socket: S, read: ReadCallback): S {
  return socket.on('data', (chunk: Buffer) => {
    if (!read(chunk.length, chunk)) socket.pause();
  });
}

/** Undefined where the socket has gone already and can't be told any more. */
export function peerOf({ remoteAddress, remotePort }: net.Socket): Endpoint | undefined {
  return endpoint(remoteAddress, remotePort);
}

/** Our end. */
export function localEndpoint({ localAddress, localPort }: net.Socket): Endpoint {
  return endpoint(localAddress, localPort) ?? Endpoint.unix;
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : Endpoint.parse(address, port);
}

/** FIN is on its way to the kernel: for libuv no time to reset, and Node would leak the descriptor. */
export function isFinishing(socket: net.Socket): boolean {
  return socket.writableEnded && !socket.writableFinished;
}
