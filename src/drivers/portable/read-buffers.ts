/**
 * Where the sockets of one driver read to, so that an idle connection holds no buffer at all.
 *
 * Every socket reads into one shared buffer, and what came is copied out before it is written: a write that
 * the kernel doesn't take at once refers to its bytes until it does. A copy costs less than the fresh 64 KiB
 * that `node:net` otherwise allocates for each read. A flow that fills the shared buffer borrows a large one
 * of its own, which needs no copy, until a read no longer fills that.
 */
export class ReadBuffers {
  readonly shared = Buffer.allocUnsafeSlow(sharedBytes);
  #next: Buffer = this.shared;
  #copies = Buffer.allocUnsafeSlow(sharedBytes);
  #copiesUsed = 0;
  readonly #free: Buffer[] = [];

  /** For the `onread` option of a socket: asked for a buffer at its start and right after each callback. */
  readonly next = (): Buffer => {
    const next = this.#next;
    this.#next = this.shared;
    return next;
  };

  /** The read that is being handled is followed by one into this buffer, instead of the shared one. */
  readNextInto(buffer: Buffer): void {
    this.#next = buffer;
  }

  /** Copies the first bytes of the shared buffer. The copy holds until the next one, unless it is kept. */
  copy(length: number): Buffer {
    if (this.#copiesUsed + length > this.#copies.length) {
      this.#copies = Buffer.allocUnsafeSlow(sharedBytes);
      this.#copiesUsed = 0;
    }
    const copy = this.#copies.subarray(this.#copiesUsed, this.#copiesUsed + length);
    this.shared.copy(copy, 0, 0, length);
    return copy;
  }

  /** The last copy, of this length, is still being written. */
  keepCopy(length: number): void {
    this.#copiesUsed += length;
  }

  borrow(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(largeBytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.#free.length < keptFree) this.#free.push(buffer);
  }
}

/**
 * Read sizes that nobody sends, so that a message of 64 KiB doesn't pass for the beginning of a stream: an idle
 * connection would then hold a large buffer.
 */
const sharedBytes = 68 * 1024;
const largeBytes = 260 * 1024;
/** Large buffers kept for the next borrower: 4 MiB at most. */
const keptFree = 16;
