/** A handshake of Node's: the `TLSSocket` that takes its transport's place, and what is told of it. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsSession } from '../../../core/contract.ts';
import { hostName } from '../../../core/wire/host-name.ts';
import type { Handshake, StartTls, TlsLink } from '../engine.ts';
import { keepOpenInHandshake } from './handshake-socket.ts';
import { onPeerCertificate } from './peer-certificate.ts';

/** What our side of a handshake is told, and asked once that is done. */
export interface TlsSide {
  /** Begins with what the transport has read and not given to anyone. */
  open(transport: Socket): TLSSocket;
  /** Whether to tell of the certificate that the peer shows, a server. */
  looksAtPeer(transport: Socket): boolean;
  /** What is wrong with the certificate of a peer whose handshake is done. */
  objectionTo(peer: TLSSocket): string | undefined;
  /** The subject of a client's certificate, where it has shown one that was verified. */
  clientSubject(peer: TLSSocket): string | undefined;
}

export class NodeHandshake implements Handshake<Socket> {
  readonly #role: StartTls['as'];
  readonly #side: TlsSide;

  constructor(role: StartTls['as'], side: TlsSide) {
    this.#role = role;
    this.#side = side;
  }

  begin(transport: Socket, held: Buffer, link: TlsLink): Socket {
    // What is put back into a socket that nobody reads is what Node takes first. A socket that flows by itself would
    // throw it away.
    transport.removeAllListeners('data');
    if (transport.readableFlowing) transport.pause();
    if (held.length > 0) transport.unshift(held);
    const socket = this.#side.open(transport);
    keepOpenInHandshake(socket, this.#role, link);
    if (this.#side.looksAtPeer(transport))
      onPeerCertificate(socket, (notAfterMs) => link.certificateShown(notAfterMs));
    socket.once(this.#role === 'server' ? 'secure' : 'secureConnect', () => this.#done(socket, link));
    return socket;
  }

  #done(socket: TLSSocket, link: TlsLink): void {
    if (!link.isInHandshake) return;
    const objection = this.#side.objectionTo(socket);
    if (objection === undefined) link.tlsEstablished(this.#sessionOf(socket));
    else link.tlsFailed(objection);
  }

  #sessionOf(socket: TLSSocket): TlsSession {
    return {
      version: socket.getProtocol() ?? 'unknown',
      alpn: socket.alpnProtocol || undefined,
      clientSubject: this.#side.clientSubject(socket),
      serverName: serverNameOf(socket),
    };
  }
}

/** Node types no name on the server's side; without one it is false. */
function serverNameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as TLSSocket & { readonly servername?: string | false };
  return hostName(servername || '');
}
