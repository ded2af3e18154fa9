/**
 * Goes round the open sessions of a worker, so that each is told of once in a while: a slice at a time, spread over the
 * round, for bytes and other lines must not wait for a hundred thousand of them.
 */
import type { SessionPage, SessionView } from '../core/session-list.ts';

export interface RoundsDeps {
  /** How long a round takes, in milliseconds; `Infinity`: none is made. */
  everyMs(): number;
  list(from: number): SessionPage;
  report(session: SessionView): void;
}

export class SessionRounds {
  readonly #deps: RoundsDeps;
  #everyMs = Number.POSITIVE_INFINITY;
  #dueMs = Number.POSITIVE_INFINITY;
  #from = 0;
  #slices = 0;
  /** How many slices the round before had. */
  #slicesBefore = 1;

  constructor(deps: RoundsDeps) {
    this.#deps = deps;
  }

  /** When `due` is to be called. */
  nextMs(nowMs: number): number {
    const everyMs = this.#deps.everyMs();
    if (everyMs !== this.#everyMs) {
      this.#everyMs = everyMs;
      this.#dueMs = nowMs + everyMs;
    }
    return this.#dueMs;
  }

  due(nowMs: number): void {
    if (nowMs < this.nextMs(nowMs)) return;
    const { sessions, next } = this.#deps.list(this.#from);
    for (const session of sessions) this.#deps.report(session);
    this.#slices++;
    this.#from = next ?? 0;
    if (next === undefined) {
      this.#slicesBefore = this.#slices;
      this.#slices = 0;
    }
    this.#dueMs = nowMs + this.#everyMs / this.#slicesBefore;
  }
}
