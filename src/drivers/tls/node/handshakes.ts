/** TLS over a socket, in both roles. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { DriverCommand } from '../../driver.ts';
import type { TicketKeys } from '../../ticket-keys.ts';
import { Originations } from './origination.ts';
import { Terminations } from './termination.ts';

export type StartTls = Extract<DriverCommand, { readonly kind: 'start-tls' }>;
export type ClientRole = Extract<StartTls, { readonly as: 'client' }>;

export interface Handshake {
  /** Begins with what the transport has read and not given to anyone. */
  begin(transport: Socket): TLSSocket;
  /** What is wrong with the certificate of a peer whose handshake is done. */
  objectionTo(socket: TLSSocket): string | undefined;
  /** Of a client that has shown a certificate, and whose certificate was verified. */
  clientSubject(socket: TLSSocket): string | undefined;
}

/** Of one driver. */
export class Handshakes {
  readonly #originations = new Originations();
  readonly #terminations: Terminations;

  constructor(ticketKeys: TicketKeys) {
    this.#terminations = new Terminations(ticketKeys);
  }

  /** Undefined where the keys and certificates are none. */
  of(command: StartTls): Handshake | undefined {
    if (command.as === 'client') return this.#originations.of(command);
    return this.#terminations.of(command.tls)?.handshake(command.serverName);
  }
}
