/**
 * Gives back to deadlines the time in which this thread was not there to see them met: the process was stopped
 * (SIGSTOP), the machine suspended, or the thread busy. What had come meanwhile is read before a deadline is judged,
 * but it may want an answer of ours first: a handshake goes on, a place in the queue is handed on, a dial is made
 * again.
 */
export class StallGrace {
  /** Deadlines are put off until then. */
  untilMs = Number.NEGATIVE_INFINITY;

  /** How often deadlines were put off since one came in time. */
  #timesInARow = 0;

  /** Whether deadlines are judged now, where one that was due at `dueMs` has come up. */
  judges(dueMs: number, nowMs: number): boolean {
    const lateMs = nowMs - dueMs;
    if (lateMs <= stallMs) this.#timesInARow = 0;
    else if (this.#timesInARow < mostTimesInARow) {
      this.#timesInARow++;
      this.untilMs = nowMs + Math.min(lateMs, longestGraceMs);
    }
    return nowMs >= this.untilMs;
  }
}

/** Events of a busy thread may be late by as much as this. */
const stallMs = 100;
/** Some round trips to the farthest peer. */
const longestGraceMs = 1_000;
/** After so many times deadlines are judged, even in a thread that is always late. */
const mostTimesInARow = 4;
