/**
 * Bounds how many refusals are logged: a client that floods a listener should not flood the log too. Of each
 * listener and reason so many a second pass; of the others the last is held back, so that when the second is
 * over one line can say how many there were. Every refusal is in a line or in some line's `leftOut`.
 */
import type { SessionRecord } from '../core/reports.ts';

/** A refusal to be written, and how many like it before it were not. */
export interface Counted {
  readonly record: SessionRecord;
  readonly leftOut: number;
}

interface Second {
  readonly endsMs: number;
  written: number;
  unwritten: number;
  latestUnwritten: SessionRecord | undefined;
}

export class RefusalBound {
  readonly #perSecond: number;
  /** As many as there are listeners times reasons; those that are over go with `releaseHeld`. */
  readonly #seconds = new Map<string, Second>();
  #nextEndMs = Number.POSITIVE_INFINITY;

  constructor(perSecond = 10) {
    this.#perSecond = perSecond;
  }

  /** When the first of the seconds is over, or a little before; `Infinity` where none is open. */
  get nextEndMs(): number {
    return this.#nextEndMs;
  }

  /** Returns the refusal if it is to be written now. */
  admit(record: SessionRecord, nowMs: number): Counted | undefined {
    const key = `${record.reason} ${record.isEmpty} ${record.listener}`;
    const second = this.#seconds.get(key);
    if (second === undefined || nowMs >= second.endsMs) {
      const fresh = { endsMs: nowMs + 1_000, written: 1, unwritten: 0, latestUnwritten: undefined };
      this.#seconds.set(key, fresh);
      this.#nextEndMs = Math.min(this.#nextEndMs, fresh.endsMs);
      return { record, leftOut: second?.unwritten ?? 0 };
    }
    if (second.written < this.#perSecond) {
      second.written++;
      return { record, leftOut: 0 };
    }
    second.unwritten++;
    second.latestUnwritten = record;
    return undefined;
  }

  /** Removes and returns what was held back in the seconds that are over. */
  releaseHeld(nowMs: number): readonly Counted[] {
    const held: Counted[] = [];
    if (nowMs < this.#nextEndMs) return held;
    this.#nextEndMs = Number.POSITIVE_INFINITY;
    for (const [key, { endsMs, unwritten, latestUnwritten }] of this.#seconds) {
      if (nowMs < endsMs) {
        this.#nextEndMs = Math.min(this.#nextEndMs, endsMs);
        continue;
      }
      this.#seconds.delete(key);
      if (latestUnwritten !== undefined) held.push({ record: latestUnwritten, leftOut: unwritten - 1 });
    }
    return held;
  }
}
