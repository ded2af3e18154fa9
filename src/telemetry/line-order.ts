/**
 * Puts the lines of all threads in the order of their times. Workers send theirs in batches, some tens of milliseconds
 * old, while those of the main thread come at once: so each is held until no older one is under way. Unless the
 * process is busy, it is written within 100 ms of its time.
 */
import type { Ledger } from '../core/ledger/ledger.ts';
import { timeOf, timePlace } from './lines.ts';

/** The age at which a line is written if no older one is under way: the batches of workers are younger, as a rule. */
const heldMs = 80;
/** It takes a worker less than this to announce a line that it has made. */
const reportDelayMs = 20;
/** Lines do not wait longer than this for a worker that is stuck. */
const mostMs = 1_000;

export class LineOrder {
  readonly #write: (lines: string) => void;
  readonly #unsentSinceMs: () => number;
  /** In the order in which they came, and each in that of its times. */
  #batches: Batch[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings. */
  #dueMs = Number.POSITIVE_INFINITY;
  #release: NodeJS.Immediate | undefined;

  /**
   * `write` takes whole lines. `unsentSinceMs` gives the time of the oldest line that some worker has not sent, in
   * milliseconds since 1970.
   */
  constructor(write: (lines: string) => void, unsentSinceMs: () => number) {
    this.#write = write;
    this.#unsentSinceMs = unsentSinceMs;
  }

  /** Takes one or more whole lines of JSON, in the order of their times. */
  add(lines: string): void {
    const batch = new Batch(lines);
    this.#batches.push(batch);
    this.#schedule(batch.timeMs, 0);
  }

  /** Writes all that there is. */
  flush(): void {
    this.#unsetTimer();
    clearImmediate(this.#release);
    this.#writeUntil(Number.POSITIVE_INFINITY);
  }

  #schedule(oldestMs: number, atLeastMs: number): void {
    const nowMs = Date.now();
    // Where the clock was set back since, the line counts as one of now.
    const waitMs = Math.max(atLeastMs, heldMs - Math.max(0, nowMs - oldestMs));
    if (nowMs + waitMs >= this.#dueMs) return;
    this.#unsetTimer();
    this.#dueMs = nowMs + waitMs;
    this.#timer = setTimeout(() => this.#writeSettled(), waitMs);
  }

  /** Batches that were sent until now are taken in before the immediate. */
  #writeSettled(): void {
    this.#unsetTimer();
    const nowMs = Date.now();
    const sinceMs = Math.min(this.#unsentSinceMs(), nowMs - reportDelayMs);
    this.#release = setImmediate(() => {
      this.#writeUntil(Math.max(sinceMs, nowMs - mostMs));
      const oldestMs = Math.min(...this.#batches.map(({ timeMs }) => timeMs));
      if (this.#batches.length > 0) this.#schedule(oldestMs, reportDelayMs);
    });
  }

  /** Merges the batches: of each, a run of lines that no other has an older one for is taken at once. */
  #writeUntil(untilMs: number): void {
    const nowMs = Date.now();
    // Times to come are of a clock that was set back since, and must hold up no line.
    const isDue = (timeMs: number): boolean => timeMs <= untilMs || timeMs > nowMs;
    for (;;) {
      const { first, nextMs } = this.#oldest();
      if (first === undefined || !isDue(first.timeMs)) break;
      this.#write(first.removeLines((timeMs) => timeMs <= nextMs && isDue(timeMs)));
    }
    this.#batches = this.#batches.filter(({ isOver }) => !isOver);
  }

  /** The batch with the oldest line, the first of several; and how old the lines of the others are. */
  #oldest(): { readonly first: Batch | undefined; readonly nextMs: number } {
    let first: Batch | undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const batch of this.#batches) {
      if (batch.isOver) continue;
      if (first === undefined || batch.timeMs < first.timeMs) {
        nextMs = first?.timeMs ?? nextMs;
        first = batch;
      } else if (batch.timeMs < nextMs) nextMs = batch.timeMs;
    }
    return { first, nextMs };
  }

  #unsetTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}

/** Lines that came together. */
class Batch {
  readonly #lines: string;
  #start = 0;
  #time = '';
  /** When its first line was made, in milliseconds since 1970. */
  timeMs: number;

  constructor(lines: string) {
    this.#lines = lines;
    this.timeMs = this.#timeAt(0);
  }

  get isOver(): boolean {
    return this.#start >= this.#lines.length;
  }

  /** Removes and returns the first line, and those after it while their times are wanted. */
  removeLines(isWanted: (timeMs: number) => boolean): string {
    const from = this.#start;
    do {
      this.#start = this.#lines.indexOf('\n', this.#start) + 1 || this.#lines.length;
      this.timeMs = this.#timeAt(this.#start);
    } while (!this.isOver && isWanted(this.timeMs));
    return this.#lines.slice(from, this.#start);
  }

  /** A line without a time goes with the one before it. Many have the same, which is not parsed again. */
  #timeAt(start: number): number {
    const at = timePlace(this.#lines, start);
    if (at < 0 || (this.#time !== '' && this.#lines.startsWith(this.#time, at)))
      return this.timeMs ?? Date.now();
    this.#time = timeOf(this.#lines, start);
    return Date.parse(this.#time) || Date.now();
  }
}

/** The time of the oldest line that some worker has not sent; Infinity where there is none. */
export function unsentSinceMs({ unsentLinesMs }: Pick<Ledger, 'unsentLinesMs'>): number {
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const sinceMs of unsentLinesMs) if (sinceMs > 0 && sinceMs < oldestMs) oldestMs = sinceMs;
  return oldestMs;
}
