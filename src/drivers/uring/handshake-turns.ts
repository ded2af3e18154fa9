/**
 * Handshakes take turns: a step of one takes some tenths of a millisecond where there is something to sign, and bytes
 * of other links must not wait for many of them.
 */
interface LinkInHandshake {
  stepHandshake(): void;
}

export class HandshakeTurns {
  readonly #links: LinkInHandshake[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get areThere(): boolean {
    return this.#links.length > 0;
  }

  add(link: LinkInHandshake): void {
    this.#links.push(link);
  }

  /** In a turn of the driver: one step, and further ones as long as there is time. */
  step(): void {
    const endMs = this.#now() + longestMs;
    do this.#links.shift()?.stepHandshake();
    while (this.areThere && this.#now() < endMs);
  }
}

/**
 * A further step is begun for so long, so that all of a turn take less than a millisecond together. With fewer in a
 * turn each handshake costs more: what follows from them finds the caches cold.
 */
const longestMs = 0.6;
