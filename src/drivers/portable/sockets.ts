/** How this driver opens, resets and reads the failures of its sockets. */
import net from 'node:net';
import type { Address, Client } from '../../core/contract.ts';
import type { ReadBuffers } from './read-buffers.ts';

/** Takes the bytes just read into `buffer`; false stops the reading until the socket is resumed. */
export type Read = (length: number, buffer: Uint8Array) => boolean;

export const keepAliveDelayMs = 60_000;

/** Reads a socket that has no `onread`. */
export function readByEvent<S extends net.Socket>(socket: S, read: Read): S {
  return socket.on('data', (chunk: Buffer) => {
    if (!read(chunk.length, chunk)) socket.pause();
  });
}

/** Where TLS is spoken over a socket, the one to be read and written is the other. */
const transports = new WeakMap<net.Socket, net.Socket>();

/** Notes that a socket speaks TLS over another. */
export function speaksOver(socket: net.Socket, transport: net.Socket): void {
  transports.set(socket, transport);
}

/** The connection itself: the socket, or what it speaks TLS over. */
export function transportOf(socket: net.Socket): net.Socket {
  return transports.get(socket) ?? socket;
}

/** Starts connecting. Whatever goes wrong is told by the socket's `error`, later. */
export function connect(address: Address, buffers: ReadBuffers, read: Read): net.Socket {
  return net.connect({
    ...address,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
    onread: { buffer: buffers.next, callback: read },
  });
}

/** The other end of an accepted TCP socket; undefined where it has gone already and can't be told any more. */
export function tcpClient({ remoteAddress, remotePort }: net.Socket): Client | undefined {
  return endOf(remoteAddress, remotePort);
}

/** Our end of an accepted socket. */
export function arrivedAt({ localAddress, localPort }: net.Socket): Client {
  return endOf(localAddress, localPort) ?? unixClient;
}

function endOf(address: string | undefined, port: number | undefined): Client | undefined {
  if (address === undefined || port === undefined) return undefined;
  const isMapped = address.startsWith(mappedIpv4);
  return { address: isMapped ? address.slice(mappedIpv4.length) : address, port };
}

const mappedIpv4 = '::ffff:';

export const unixClient: Client = { address: 'unix', port: 0 };

/** Closes with RST. A unix socket knows none: its peer sees the end, or an error as it writes. */
export function reset(socket: net.Socket): void {
  const transport = transportOf(socket);
  if (transport.destroyed) return;
  // Only a connected TCP socket tells its peer's family.
  if (transport.connecting || transport.remoteFamily === undefined) transport.destroy();
  // libuv refuses to reset while a shutdown(2) is under way, and Node then leaks the descriptor.
  else if (isShuttingDown(socket)) socket.once('finish', () => transport.resetAndDestroy());
  else transport.resetAndDestroy();
}

function isShuttingDown(socket: net.Socket): boolean {
  return socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
}

/**
 * Whether what looked like FIN was RST: in Node before 26 libuv takes a reset that comes right behind data for
 * the end of it. A write without a byte brings the truth to light, and fails the socket then. A unix socket
 * knows no reset, and a write would fail although its peer has done nothing but close.
 */
export function wasReset(socket: net.Socket): boolean {
  if (!socket.writable || socket.localPort === undefined) return false;
  const transport = transportOf(socket);
  transport.write(nothing);
  return transport.errored !== null;
}

const nothing = Buffer.alloc(0);
