/**
 * Node destroys a socket whose handshake fails, and closes the connection with it. Here such a failure is told to an
 * owner instead, and the connection stays open until the alert has arrived.
 */
import tls from 'node:tls';

export interface HandshakeOwner {
  /** Once it is not, failures destroy the socket. */
  readonly isInHandshake: boolean;
  failed(error: NodeJS.ErrnoException): void;
}

const owner = Symbol('owner of a handshake');
const earlyFailure = Symbol('failure before there is an owner');

type Owned = tls.TLSSocket & { [owner]?: HandshakeOwner; [earlyFailure]?: Error };

/** Of a server: handshakes that fail of the bytes that they begin with do so in the constructor. */
export class HandshakeSocket extends tls.TLSSocket {
  override destroy(error?: Error): this {
    destroyOrTell.call(this, error);
    return this;
  }
}

/** To be called right after the socket was made. */
export function keepOpenInHandshake(socket: Owned, by: HandshakeOwner): void {
  Object.assign(socket, { [owner]: by, destroy: destroyOrTell });
  const error = socket[earlyFailure];
  if (error !== undefined) process.nextTick(() => by.failed(error));
}

function destroyOrTell(this: Owned, error?: Error): Owned {
  const by = this[owner];
  if (error === undefined || by?.isInHandshake === false) tls.TLSSocket.prototype.destroy.call(this, error);
  else if (by === undefined) this[earlyFailure] = error;
  else by.failed(error);
  return this;
}
