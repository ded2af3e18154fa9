/**
 * What happens to a socket is told to its owner. The socket finds that by itself, so that all sockets share the
 * listeners below: closures for each would cost every idle connection another half kilobyte.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface SocketOwner {
  /** A backend is connected, or its TLS handshake done and the backend verified. */
  connected(socket: Socket): void;
  /** The TLS handshake of a client is done. */
  secured(client: TLSSocket): void;
  finned(socket: Socket): void;
  failed(socket: Socket, error: NodeJS.ErrnoException): void;
  closed(socket: Socket): void;
}

export function own(socket: Socket, by: SocketOwner): void {
  Object.assign(socket, { [owner]: by });
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** A socket that is connecting. */
export function ownDialed(socket: Socket, by: SocketOwner): void {
  own(socket, by);
  socket.on('connect', onConnect);
}

/** A backend's socket whose handshake is under way. */
export function ownSecureBackend(backend: TLSSocket, by: SocketOwner): void {
  own(backend, by);
  backend.on('secureConnect', onConnect);
}

/** A client's socket whose handshake is under way. */
export function ownSecureClient(client: TLSSocket, by: SocketOwner): void {
  own(client, by);
  client.on('secure', onSecure);
  // What goes wrong once the handshake is done is told by this alone.
  client.on('_tlsError', onError);
}

const owner = Symbol('owner');
type Owned<S> = S & { readonly [owner]: SocketOwner };

function onConnect(this: Owned<Socket>): void {
  this[owner].connected(this);
}

function onSecure(this: Owned<TLSSocket>): void {
  this[owner].secured(this);
}

function onEnd(this: Owned<Socket>): void {
  this[owner].finned(this);
}

function onError(this: Owned<Socket>, error: Error): void {
  this[owner].failed(this, error);
}

function onClose(this: Owned<Socket>): void {
  this[owner].closed(this);
}
