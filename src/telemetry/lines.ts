/** Log lines: how each looks, and how a worker sends them together. */
import { type DestinationStream, type LoggerOptions, stdTimeFunctions } from 'pino';

/**
 * How every log line looks, whichever thread writes it: the level as a word, the time as RFC 3339 in UTC, the
 * fields, and the message last. No process id or host name: what collects the lines knows them.
 */
export const lineFormat = {
  base: null,
  timestamp: stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
} satisfies LoggerOptions;

/** The time of the line of JSON that begins there, as pino writes it; empty where it has none. */
export function timeOf(lines: string, start = 0): string {
  const at = timePlace(lines, start);
  return at < 0 ? '' : lines.slice(at, at + timeLength);
}

/** Where the time stands of the line that begins there, or -1: behind the level, which is the only field before it. */
export function timePlace(lines: string, start: number): number {
  for (let at = start + shortestHead; at <= start + longestHead; at++)
    if (lines.startsWith(timeKey, at)) return at + timeKey.length;
  return -1;
}

const timeKey = ',"time":"';
const shortestHead = '{"level":"warn"'.length;
const longestHead = '{"level":"error"'.length;
const timeLength = '2026-01-02T03:04:05.678Z'.length;

/** How long a line of a worker may wait for others. */
export const batchMs = 40;

const maxLength = 65_536;

/** What a worker's lines go to. */
export interface LineOutlet {
  /** Takes whole lines, each with its newline. */
  send(lines: string): void;
  /** Told the time of the oldest line that is not sent yet, in milliseconds since 1970; 0 where there is none. */
  unsentSince(ms: number): void;
  /** This many more lines are not written, for the sake of the log. */
  leftOut(lines: number): void;
}

/** Collects lines and sends them together, for a message between threads costs more than a line. */
export class LineBatch implements DestinationStream {
  readonly #outlet: LineOutlet;
  #lines = '';

  constructor(outlet: LineOutlet) {
    this.#outlet = outlet;
  }

  get isEmpty(): boolean {
    return this.#lines === '';
  }

  write(line: string): void {
    if (this.#lines.length + line.length > maxLength) this.flush();
    if (this.isEmpty) this.#outlet.unsentSince(Date.parse(timeOf(line)));
    this.#lines += line;
  }

  flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines === '') return;
    this.#outlet.send(lines);
    this.#outlet.unsentSince(0);
  }
}
