/**
 * What a client has sent and no backend has taken yet, in one piece, so that it can be shown at any time. The
 * piece grows by doubling: a byte is copied about twice, however small the portions are in which it comes.
 */
export class HeldBytes {
  #buffer: Buffer = nothing;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** The memory that they take. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Good until something is appended. */
  get view(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The first portion is often the only one, and gets what it needs. */
  #makeRoom(bytes: number): void {
    const held = this.view;
    const neededBytes = held.length + bytes;
    this.#buffer = Buffer.allocUnsafe(held.length === 0 ? neededBytes : 2 * neededBytes);
    this.#buffer.set(held);
    this.#start = 0;
    this.#end = held.length;
  }

  /** Forgets the first so many. */
  drop(bytes: number): void {
    this.#start = Math.min(this.#start + bytes, this.#end);
    if (this.#start === this.#end) this.take();
  }

  /** Gives all of them away. */
  take(): Buffer {
    const all = this.view;
    this.#buffer = nothing;
    this.#start = 0;
    this.#end = 0;
    return all;
  }
}

const nothing = Buffer.alloc(0);
