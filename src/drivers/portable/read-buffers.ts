/**
 * Where the sockets of one driver read to, so that an idle connection holds no buffer at all.
 *
 * Every socket reads into one shared buffer, and what came is copied out before it is written: a write that
 * the kernel doesn't take at once refers to its bytes until it does. A copy costs less than the fresh 64 KiB
 * that `node:net` otherwise allocates for each read. A link that fills the shared buffer borrows a large one
 * of its own, which needs no copy, until a read no longer fills that. While memory is scarce, nothing is lent, and
 * reads are small.
 */
import type { BufferMemory } from './buffer-memory.ts';
import { freeableBuffer, freeMemory } from './freeable-buffer.ts';

export class ReadBuffers {
  readonly shared = Buffer.allocUnsafeSlow(sharedBytes);
  readonly #small = this.shared.subarray(0, smallBytes);
  readonly #memory: BufferMemory;
  #next: Buffer | undefined;
  #copies = Buffer.allocUnsafeSlow(sharedBytes);
  #copiesUsed = 0;
  readonly #free: Buffer[] = [];
  #leastFree = 0;
  #shrinking: NodeJS.Timeout | undefined;

  constructor(memory: BufferMemory) {
    this.#memory = memory;
  }

  /** For the `onread` option of a socket: asked for a buffer at its start and right after each callback. */
  readonly next = (): Buffer => {
    const next = this.#next ?? (this.#memory.isScarce ? this.#small : this.shared);
    this.#next = undefined;
    return next;
  };

  isShared(buffer: Uint8Array): boolean {
    return buffer === this.shared || buffer === this.#small;
  }

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

  /** Undefined while memory is scarce. */
  borrow(): Buffer | undefined {
    if (this.#memory.isScarce) return undefined;
    this.#memory.change(largeBytes);
    const free = this.#free.pop();
    this.#leastFree = Math.min(this.#leastFree, this.#free.length);
    return free ?? freeableBuffer(largeBytes);
  }

  giveBack(buffer: Buffer): void {
    this.#memory.change(-largeBytes);
    this.#free.push(buffer);
    this.#shrinking ??= setTimeout(() => this.#shrink(), keptFreeMs).unref();
  }

  /** Frees what nobody has needed since the last time: at once, as a collection may be long in coming. */
  #shrink(): void {
    this.#shrinking = undefined;
    for (let unneeded = this.#leastFree; unneeded > 0; unneeded--) freeMemory(this.#free.pop());
    this.#leastFree = this.#free.length;
    if (this.#leastFree > 0) this.#shrinking = setTimeout(() => this.#shrink(), keptFreeMs).unref();
  }
}

/**
 * Read sizes that nobody sends, so that a message of 64 KiB doesn't pass for the beginning of a stream: an idle
 * connection would then hold a large buffer.
 */
const sharedBytes = 68 * 1024;
const largeBytes = 260 * 1024;
const smallBytes = 4 * 1024;
const keptFreeMs = 500;
