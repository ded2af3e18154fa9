/**
 * Handshakes take turns: a step of one takes a tenth of a millisecond and more, and bytes of other links must not wait
 * for many of them.
 */
interface LinkInHandshake {
  stepHandshake(): void;
}

export class HandshakeTurns {
  readonly #links: LinkInHandshake[] = [];

  get areThere(): boolean {
    return this.#links.length > 0;
  }

  add(link: LinkInHandshake): void {
    this.#links.push(link);
  }

  /** In a turn of the driver. */
  step(): void {
    if (this.areThere) for (const link of this.#links.splice(0, stepsEachTurn)) link.stepHandshake();
  }
}

const stepsEachTurn = 4;
