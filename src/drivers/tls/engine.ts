/**
 * TLS as a driver needs it, in either role and whichever library speaks it. `Transport` is what the driver moves bytes
 * with: Node's engine wants a socket and gives another in its place, so for `portable` that is a `net.Socket`.
 *
 *     handshake ─▶ begin ─┬─▶ tlsEstablished     from now on the transport given back carries plain bytes
 *                         ├─▶ tlsFailed          an alert may be on its way: the transport stays open
 *                         └─▶ failed, or the end of the transport: it was the connection
 *     … established ─▶ tlsBroken
 */
import type { TlsSession } from '../../core/contract.ts';
import type { DriverCommand } from '../driver.ts';

export type StartTls = Extract<DriverCommand, { readonly kind: 'start-tls' }>;

export interface TlsEngine<Transport> {
  /** Undefined where the keys and certificates are none. */
  handshake(command: StartTls): Handshake<Transport> | undefined;
}

export interface Handshake<Transport> {
  /**
   * Begins with bytes that the link has held, on a transport that the link neither reads nor writes to from now on.
   * Returns what the link reads and writes instead, once the handshake is done. Nothing is told before this returns.
   */
  begin(transport: Transport, held: Buffer, link: TlsLink): Transport;
}

/** A link whose handshake was begun. */
export interface TlsLink {
  /** Once it is not, the link is told of failures of its connection alone. */
  readonly isInHandshake: boolean;
  /** A server has shown a certificate that is good until then (milliseconds since 1970), whatever becomes of it. */
  certificateShown(notAfterMs: number): void;
  /** The peer is who it must be. */
  tlsEstablished(session: TlsSession): void;
  /** `detail`: the library's reason, or what is wrong with the peer's certificate. */
  tlsFailed(detail: string): void;
  /**
   * After the handshake: what has come was sealed by nobody who has the key, or was an alert. One may be on its way.
   */
  tlsBroken(): void;
  failed(error: NodeJS.ErrnoException): void;
}
