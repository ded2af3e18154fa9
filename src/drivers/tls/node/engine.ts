/** Node's own TLS, over sockets. */
import type { Socket } from 'node:net';
import type { TicketKeys } from '../../ticket-keys.ts';
import type { Handshake, StartTls, TlsEngine } from '../engine.ts';
import { NodeHandshake } from './handshake.ts';
import { Originations } from './origination.ts';
import { Terminations } from './termination.ts';

/** The engine of one driver. */
export class NodeTlsEngine implements TlsEngine<Socket> {
  readonly #originations = new Originations();
  readonly #terminations: Terminations;

  constructor(ticketKeys: TicketKeys) {
    this.#terminations = new Terminations(ticketKeys);
  }

  handshake(command: StartTls): Handshake<Socket> | undefined {
    const side =
      command.as === 'client'
        ? this.#originations.of(command)
        : this.#terminations.of(command.tls)?.side(command.serverName);
    return side && new NodeHandshake(command.as, side);
  }
}
