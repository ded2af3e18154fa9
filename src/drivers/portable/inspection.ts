/**
 * Shows the core what a client has sent so far, each time that it asks: at once if there is more than it has
 * seen, or as soon as there is.
 */
import type { SessionId } from '../../core/contract.ts';
import type { DriverHost } from '../driver.ts';
import type { HeldBytes } from './held-bytes.ts';

export class Inspection {
  readonly #session: SessionId;
  readonly #held: HeldBytes;
  readonly #host: Pick<DriverHost, 'emit'>;
  /** What the core has seen; without a question, more than there can be. */
  #beyond = Number.POSITIVE_INFINITY;

  constructor(session: SessionId, held: HeldBytes, host: Pick<DriverHost, 'emit'>) {
    this.#session = session;
    this.#held = held;
    this.#host = host;
  }

  /** Answers later, outside of the command that asks. */
  ask(beyond: number): void {
    this.#beyond = beyond;
    if (this.#held.length > beyond) process.nextTick(() => this.answer());
  }

  /** Answers the question, if there is one and the bytes to do so. */
  answer(): void {
    if (this.#held.length <= this.#beyond) return;
    this.withdraw();
    this.#host.emit({ kind: 'received', session: this.#session, bytes: this.#held.view });
  }

  withdraw(): void {
    this.#beyond = Number.POSITIVE_INFINITY;
  }
}
