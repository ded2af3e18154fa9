/**
 * What a client has sent and no backend has taken yet, in one piece, so that it can be shown at any time. The
 * piece grows by doubling: a byte is copied about twice, however small the portions are in which it comes.
 * A large piece is freed as it is outgrown or nobody wants it any more: thousands of clients may leave at once.
 */
import type { BufferMemory } from './buffer-memory.ts';
import { freeableBuffer, freeMemory } from './freeable-buffer.ts';

export class HeldBytes {
  readonly #memory: BufferMemory;
  #buffer: Buffer = nothing;
  #start = 0;
  #end = 0;

  constructor(memory: BufferMemory) {
    this.#memory = memory;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /**
   * To be looked at byte by byte; good until something is appended or shown. A copy where the memory can be freed: a
   * parser that has seen some of that is slow with all memory from then on, 30 ns a byte instead of 5.
   */
  get shown(): Buffer {
    const held = this.#view;
    if (this.#buffer.length < freeableBytesMin) return held;
    if (shownCopy.length < held.length) shownCopy = Buffer.allocUnsafeSlow(2 * held.length);
    held.copy(shownCopy);
    return shownCopy.subarray(0, held.length);
  }

  get #view(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The first portion is often the only one, and gets what it needs. */
  #makeRoom(bytes: number): void {
    const held = this.#view;
    const neededBytes = held.length + bytes;
    const roomBytes = held.length === 0 ? neededBytes : 2 * neededBytes;
    const outgrown = this.#buffer;
    this.#buffer = roomBytes < freeableBytesMin ? Buffer.allocUnsafe(roomBytes) : freeableBuffer(roomBytes);
    this.#buffer.set(held);
    this.#memory.change(roomBytes - outgrown.length);
    this.#start = 0;
    this.#end = held.length;
    freeMemory(outgrown);
  }

  /** Forgets the first so many. */
  drop(bytes: number): void {
    this.#start = Math.min(this.#start + bytes, this.#end);
    if (this.#start === this.#end) this.free();
  }

  free(): void {
    freeMemory(this.take());
  }

  /** Removes and returns all of them; the caller is to free them (`freeable-buffer.ts`). */
  take(): Buffer {
    const all = this.#view;
    this.#memory.change(-this.#buffer.length);
    this.#buffer = nothing;
    this.#start = 0;
    this.#end = 0;
    return all;
  }
}

const nothing = Buffer.alloc(0);
let shownCopy = nothing;
/** Smaller ones take their place in what Node allocates for many. */
const freeableBytesMin = 16 * 1024;
