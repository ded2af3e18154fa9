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

const maxLength = 65_536;

/** Collects lines and sends them together, for a message between threads costs more than a line. */
export class LineBatch implements DestinationStream {
  readonly #send: (lines: string) => void;
  #lines = '';

  constructor(send: (lines: string) => void) {
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#lines === '';
  }

  write(line: string): void {
    if (this.#lines.length + line.length > maxLength) this.flush();
    this.#lines += line;
  }

  flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#send(lines);
  }
}
