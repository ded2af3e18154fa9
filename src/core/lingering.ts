import type { Session } from './session.ts';

/** Refused clients that were sent FIN and are waited for, in the order in which they were. */
export class Lingering {
  readonly #sessions = new Set<Session>();

  /** With one too many, the one that has had the most time is reset. */
  add(session: Session): void {
    this.#sessions.add(session);
    if (this.#sessions.size > maxLingering) this.resetOldest();
  }

  delete(session: Session): void {
    this.#sessions.delete(session);
  }

  /** Returns whether there was one that was not reset already. */
  resetOldest(): boolean {
    for (const session of this.#sessions) {
      this.#sessions.delete(session);
      if (session.stage.stopLingering()) return true;
    }
    return false;
  }
}

/** A flood of clients that are refused holds no more descriptors than this. */
const maxLingering = 128;
