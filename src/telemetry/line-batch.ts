import type { DestinationStream } from 'pino';

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
