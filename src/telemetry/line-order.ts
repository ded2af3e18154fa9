/**
 * Puts the lines of all threads in the order of their times. Workers send theirs in batches, some tens of milliseconds
 * old, while those of the main thread come at once: so each is held until no older one is under way. Unless the
 * process is busy, it is written within 100 ms of its time.
 */
import type { Ledger } from '../core/ledger/ledger.ts';
import { timeOf } from './lines.ts';

/** So old, a line is written, if no older one is under way: the batches of workers are younger, as a rule. */
const heldMs = 80;
/** A worker that has just made a line may not have said so yet. */
const unsaidMs = 20;
/** For a worker that is stuck, lines wait no longer than this. */
const mostMs = 1_000;

interface Line {
  /** In RFC 3339 and UTC: such texts sort as the times do. */
  readonly time: string;
  readonly text: string;
}

export class LineOrder {
  readonly #write: (line: string) => void;
  readonly #unsentSinceMs: () => number;
  #lines: Line[] = [];
  #isSorted = true;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings. */
  #dueMs = Number.POSITIVE_INFINITY;
  #release: NodeJS.Immediate | undefined;

  /** `unsentSinceMs` gives the time of the oldest line that some worker has not sent, in milliseconds since 1970. */
  constructor(write: (line: string) => void, unsentSinceMs: () => number) {
    this.#write = write;
    this.#unsentSinceMs = unsentSinceMs;
  }

  /** Takes one or more whole lines of JSON, in their order. */
  add(lines: string): void {
    const first = this.#lines.length;
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf('\n', start) + 1 || lines.length;
      const text = lines.slice(start, end);
      const time = timeOf(text);
      this.#isSorted &&= time >= (this.#lines.at(-1)?.time ?? '');
      this.#lines.push({ time, text });
      start = end;
    }
    // The first of a batch is its oldest.
    this.#lookInTime(this.#lines[first], 0);
  }

  /** Writes all that there is. */
  flush(): void {
    this.#unsetTimer();
    clearImmediate(this.#release);
    this.#sort();
    this.#writeFirst(this.#lines.length);
  }

  #lookInTime(oldest: Line | undefined, atLeastMs: number): void {
    if (oldest === undefined) return;
    const nowMs = Date.now();
    // A line without a time, or of a clock that was set back since, counts as one of now.
    const ageMs = nowMs - Math.min(Date.parse(oldest.time) || nowMs, nowMs);
    const waitMs = Math.max(atLeastMs, heldMs - ageMs);
    if (nowMs + waitMs >= this.#dueMs) return;
    this.#unsetTimer();
    this.#dueMs = nowMs + waitMs;
    this.#timer = setTimeout(() => this.#look(), waitMs);
  }

  /** Batches that were sent until now are taken in before the immediate. */
  #look(): void {
    this.#unsetTimer();
    const nowMs = Date.now();
    const sinceMs = Math.min(this.#unsentSinceMs(), nowMs - unsaidMs);
    this.#release = setImmediate(() => this.#writeUntil(Math.max(sinceMs, nowMs - mostMs)));
  }

  #writeUntil(untilMs: number): void {
    this.#sort();
    const [until, now] = [isoTime(untilMs), isoTime(Date.now())];
    // Times to come are of a clock that was set back since, and must hold up no line.
    const held = this.#lines.findIndex(({ time }) => time > until && time <= now);
    this.#writeFirst(held < 0 ? this.#lines.length : held);
    this.#lookInTime(this.#lines[0], unsaidMs);
  }

  #sort(): void {
    if (!this.#isSorted) this.#lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    this.#isSorted = true;
  }

  #writeFirst(count: number): void {
    for (const { text } of this.#lines.splice(0, count)) this.#write(text);
  }

  #unsetTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}

/** The time of the oldest line that some worker has not sent; Infinity where there is none. */
export function unsentSinceMs({ unsentLinesMs }: Pick<Ledger, 'unsentLinesMs'>): number {
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const sinceMs of unsentLinesMs) if (sinceMs > 0 && sinceMs < oldestMs) oldestMs = sinceMs;
  return oldestMs;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
