/** TLS over a socket, in both roles. */
import type { TicketKeys } from '../../ticket-keys.ts';
import type { Handshake, StartTls } from './handshake.ts';
import { Originations } from './origination.ts';
import { Terminations } from './termination.ts';

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
