/** What a driver needs of one handshake, in either role. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { DriverCommand } from '../../driver.ts';

export type StartTls = Extract<DriverCommand, { readonly kind: 'start-tls' }>;

export interface Handshake {
  /** Begins with what the transport has read and not given to anyone. */
  begin(transport: Socket): TLSSocket;
  /** What is wrong with the certificate of a peer whose handshake is done. */
  objectionTo(socket: TLSSocket): string | undefined;
  /** Of a client that has shown a certificate, and whose certificate was verified. */
  clientSubject(socket: TLSSocket): string | undefined;
}
