/** Tells once when the process has run out of descriptors, and once when that is over. */
import type { Logger } from 'pino';
import type { DescriptorUse } from '../drivers/descriptors.ts';

/** The shortage is over when none was reported for so long. */
const calmMs = 10_000;

export class DescriptorWatch {
  readonly #logger: Logger;
  readonly #use: () => DescriptorUse | undefined;
  /** Read at the start: when descriptors have run out, none is left to read it with. */
  readonly #usualLimit: number | undefined;
  #calm: NodeJS.Timeout | undefined;

  constructor(logger: Logger, use: () => DescriptorUse | undefined) {
    this.#logger = logger;
    this.#use = use;
    this.#usualLimit = use()?.limit;
  }

  /** A worker found no descriptor for a client or a dial. */
  missing(): void {
    if (this.#calm === undefined) this.#logger.error(this.#numbers(), message);
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => {
      this.#calm = undefined;
      this.#logger.info(this.#numbers(), 'file descriptors suffice again');
    }, calmMs).unref();
  }

  close(): void {
    clearTimeout(this.#calm);
  }

  #numbers(): { readonly used: number | undefined; readonly limit: number | undefined } {
    const use = this.#use();
    const limit = use === undefined || Number.isNaN(use.limit) ? this.#usualLimit : use.limit;
    return { used: use === undefined || Number.isFinite(use.open) ? use?.open : limit, limit };
  }
}

const message = 'out of file descriptors, new clients are turned away: raise ulimit -n';
