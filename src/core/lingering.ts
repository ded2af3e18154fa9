import type { Stage } from './stages/stage.ts';

/** Refused clients that were sent FIN and are waited for, in the order in which they were. */
export class Lingering {
  readonly #closing = new Set<Stage>();

  /** With one too many, the one that has had the most time is reset. */
  add(closing: Stage): void {
    this.#closing.add(closing);
    if (this.#closing.size > maxLingering) this.resetOldest();
  }

  delete(closing: Stage): void {
    this.#closing.delete(closing);
  }

  /** Returns whether there was one that was not reset already. */
  resetOldest(): boolean {
    for (const closing of this.#closing) {
      if (closing.stopLingering()) return true;
    }
    return false;
  }
}

/** A flood of clients that are refused holds no more descriptors than this. */
const maxLingering = 128;
