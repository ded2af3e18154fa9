import type { DestinationStream } from 'pino';

const maxLength = 65_536;
const maxWaitMs = 100;

/** Collects lines and sends them together, for a message between threads costs more than a line. */
export class LineBatch implements DestinationStream {
  readonly #send: (lines: string) => void;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (lines: string) => void) {
    this.#send = send;
  }

  write(line: string): void {
    if (this.#lines.length + line.length > maxLength) this.flush();
    this.#lines += line;
    this.#timer ??= setTimeout(() => this.flush(), maxWaitMs).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#send(lines);
  }
}
