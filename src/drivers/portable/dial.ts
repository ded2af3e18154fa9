/** A dial that is not done: what it has failed of, and the wait for a unix backend whose queue is full. */
import type { Address } from '../../core/contract.ts';
import { isFullQueue } from '../dial-failure.ts';

export class Dial {
  readonly address: Address;
  /** The errno's name; undefined while it goes on. */
  failure: string | undefined;
  #waitMs = firstWaitMs;
  #timer: NodeJS.Timeout | undefined;

  constructor(address: Address) {
    this.address = address;
  }

  /** The socket that was to be connected closes after this. */
  failed(code: string): void {
    if (!isFullQueue(code, this.address)) this.failure = code;
  }

  connectLater(connect: () => void): void {
    this.#timer = setTimeout(connect, this.#waitMs);
    this.#waitMs = Math.min(2 * this.#waitMs, longestWaitMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

/** How long a backend whose queue is full is left alone. */
const firstWaitMs = 1;
const longestWaitMs = 50;
