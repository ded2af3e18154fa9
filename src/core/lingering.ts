/** Refused clients that were sent FIN and are waited for, in the order in which they were. */
interface LingeringSession {
  /** Resets its client; false where that is reset already. */
  stopLingering(): boolean;
}

export class Lingering {
  readonly #sessions = new Set<LingeringSession>();

  /** With one too many, the one that has had the most time is reset. */
  add(session: LingeringSession): void {
    this.#sessions.add(session);
    if (this.#sessions.size > maxLingering) this.resetOldest();
  }

  delete(session: LingeringSession): void {
    this.#sessions.delete(session);
  }

  /** Returns whether there was one that was not reset already. */
  resetOldest(): boolean {
    for (const session of this.#sessions) {
      this.#sessions.delete(session);
      if (session.stopLingering()) return true;
    }
    return false;
  }
}

/** A flood of clients that are refused holds no more descriptors than this. */
const maxLingering = 128;
