import { text } from './text.ts';

/**
 * Reads a stretch of bytes that a stranger wrote. Numbers are big-endian. A read past the end fails the
 * cursor for good: from then on every read gives 0 and `finished` never holds. So a grammar can be read off
 * without a check at each step, and is judged once, at its end.
 */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  #failed = false;

  /** The stretch is `from` up to, not including, `to`, and must lie within the bytes. */
  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Something is left to read. Once the cursor failed nothing is, so that loops end. */
  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** Every byte was read, and none past the end. */
  get finished(): boolean {
    return !this.#failed && this.#at === this.#end;
  }

  uint8(): number {
    if (this.#at >= this.#end) return this.#fail();
    return this.#bytes[this.#at++] ?? 0;
  }

  uint16(): number {
    const high = this.uint8();
    return (high << 8) | this.uint8();
  }

  skip(count: number): void {
    if (count > this.#end - this.#at) this.#fail();
    else this.#at += count;
  }

  /** A cursor over the next bytes, which this one skips. */
  slice(count: number): Cursor {
    const from = this.#at;
    this.skip(count);
    return new Cursor(this.#bytes, from, this.#at);
  }

  /** All that is left, each byte as one character. */
  text(): string {
    const from = this.#at;
    this.#at = this.#end;
    return text(this.#bytes, from, this.#end);
  }

  #fail(): number {
    this.#failed = true;
    this.#at = this.#end;
    return 0;
  }
}
