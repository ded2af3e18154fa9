/**
 * Tells once when a listener turns clients away because it is full, who holds its places, and once when that is over.
 */
import type { Logger } from 'pino';
import type { BusyClients } from '../core/busiest-clients.ts';

/** It is over when no client was turned away for so long. */
const calmMs = 10_000;

/** The clients with most connections; more would make the line too long. */
const mostShown = 3;

export class FullListeners {
  readonly #logger: Logger;
  readonly #busiest: (listener: string, most: number) => BusyClients | undefined;
  readonly #calm = new Map<string, NodeJS.Timeout>();

  constructor(logger: Logger, busiest: (listener: string, most: number) => BusyClients | undefined) {
    this.#logger = logger;
    this.#busiest = busiest;
  }

  /** A client was turned away: `listener-full`. */
  refused(listener: string): void {
    if (!this.#calm.has(listener)) {
      this.#logger.warn({ listener, ...this.#busiest(listener, mostShown) }, 'listener is full');
    }
    clearTimeout(this.#calm.get(listener));
    const over = (): void => {
      this.#calm.delete(listener);
      this.#logger.info({ listener }, 'listener has room again');
    };
    this.#calm.set(listener, setTimeout(over, calmMs).unref());
  }

  close(): void {
    for (const timeout of this.#calm.values()) clearTimeout(timeout);
  }
}
