/**
 * Node destroys a socket whose TLS fails, and closes the connection with it. Here such a failure is told to the link
 * instead, and the connection stays open until the alert has arrived.
 */
import tls from 'node:tls';
import type { StartTls, TlsLink } from '../engine.ts';

const owner = Symbol('link of a TLS socket');
const earlyFailure = Symbol('failure before there is a link');

type LinkedSocket = tls.TLSSocket & { [owner]?: TlsLink; [earlyFailure]?: Error };

/** A server's: a handshake that fails of the bytes that it begins with does so in the constructor. */
export class HandshakeSocket extends tls.TLSSocket {
  override destroy(error?: Error): this {
    destroyOrTell.call(this, error);
    return this;
  }
}

/** To be called right after the socket was made. */
export function keepOpenInHandshake(socket: LinkedSocket, role: StartTls['as'], link: TlsLink): void {
  Object.assign(socket, { [owner]: link, destroy: destroyOrTell });
  // What goes wrong once the handshake is done is told by this alone.
  if (role === 'server') socket.on('_tlsError', onTlsError);
  const error = socket[earlyFailure];
  if (error !== undefined) process.nextTick(() => tell(link, error));
}

function destroyOrTell(this: LinkedSocket, error?: Error): LinkedSocket {
  const link = this[owner];
  if (error === undefined || (link?.isInHandshake === false && isOfSystem(error)))
    tls.TLSSocket.prototype.destroy.call(this, error);
  else if (link === undefined) this[earlyFailure] = error;
  else tell(link, error);
  return this;
}

function onTlsError(this: LinkedSocket, error: Error): void {
  const link = this[owner];
  if (link !== undefined) tell(link, error);
}

function tell(link: TlsLink, error: NodeJS.ErrnoException): void {
  if (isOfSystem(error)) link.failed(error);
  else if (!link.isInHandshake) link.tlsBroken();
  // Node's words for FIN, which is told besides.
  else if (error.code !== 'ECONNRESET') link.tlsFailed(reasonOf(error));
}

/** Of the connection, not of what is said over it. */
function isOfSystem({ syscall }: NodeJS.ErrnoException): boolean {
  return syscall !== undefined;
}

/** In OpenSSL's words where there are any. */
function reasonOf(error: Error & { readonly reason?: unknown; readonly code?: unknown }): string {
  const { reason, code, message } = error;
  if (typeof reason === 'string') return reason;
  if (typeof code !== 'string') return message;
  // For a certificate that is not trusted, the message is cut off before what Node advises.
  return code.startsWith('ERR_') ? code : `${message.replace(/;.*/, '')} (${code})`;
}
