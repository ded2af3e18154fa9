/**
 * Buffers of one size that wait in a ring shared with the kernel, which takes the first one as bytes come. A group
 * begins with a few, so that they stay in the processor's caches, and grows as they are taken. What a burst needed
 * and nobody needs any more goes back to the system within two looks of `releaseIdle`.
 */
import * as kernel from './kernel.ts';
import { type Libc, mapMemory, type Pointer } from './libc.ts';
import type { Ring } from './ring.ts';
import { writeAddress } from './ring-memory.ts';

/** What is known of a buffer's memory. */
const untouched = 0;
const waiting = 1;
const taken = 2;

const slabBytes = 4 * 1024 * 1024;
/** A group that is asked for more than it has grows by so much a turn. */
const growthBytesMax = 1024 * 1024;

export interface GroupSize {
  readonly bytesEach: number;
  /** The beginning of each that is not received into: TLS makes bytes longer, in place. */
  readonly frontBytes: number;
  readonly initially: number;
  /** The bound. */
  readonly most: number;
  /** How many of them the kernel never gets: they are there to be borrowed. */
  readonly kept: number;
}

export class BufferGroup {
  readonly memory: Pointer;
  inUse = 0;
  readonly #libc: Libc;
  readonly #bytesEach: number;
  readonly #frontBytes: number;
  readonly #initially: number;
  readonly #most: number;
  readonly #kept: number;
  readonly #entries: number;
  readonly #ringMemory: Pointer;
  readonly #words: Uint32Array;
  readonly #halfWords: Uint16Array;
  #tail = 0;
  /** Buffers that the kernel may take or has taken; above the target they are not provided again. */
  #provided = 0;
  #target = 0;
  #hasGrown = false;
  #mostInUse = 0;
  /** Ids below this were provided once. */
  #touched = 0;
  /** Those of them that are not provided now. */
  readonly #spare: number[] = [];
  readonly #states: Uint8Array;
  /**
   * Views of the memory, so many buffers each, made once somebody looks: one view of all would be hundreds of
   * megabytes in the engine's accounts.
   */
  readonly #slabs: (Uint8Array | undefined)[] = [];
  readonly #slabBuffers: number;

  /** Throws a system error. */
  constructor(libc: Libc, ring: Ring, group: number, size: GroupSize) {
    const { bytesEach, initially, most, kept } = size;
    this.#libc = libc;
    this.#bytesEach = bytesEach;
    this.#frontBytes = size.frontBytes;
    this.#initially = Math.min(initially, most - kept);
    this.#most = most;
    this.#kept = kept;
    this.#entries = 2 ** Math.ceil(Math.log2(Math.max(1, most)));
    this.#slabBuffers = Math.max(1, Math.min(most, slabBytes / bytesEach));
    this.#states = new Uint8Array(most);
    const flags = kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS | kernel.MAP_NORESERVE;
    this.memory = mapMemory(libc, Math.max(1, most) * bytesEach, flags);
    const ringBytes = this.#entries * kernel.bufferEntry.bytes;
    this.#ringMemory = mapMemory(libc, ringBytes, kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS);
    const shared = libc.view(this.#ringMemory, ringBytes);
    this.#words = new Uint32Array(shared);
    this.#halfWords = new Uint16Array(shared);
    try {
      ring.registerBuffers(group, this.#ringMemory, this.#entries);
    } catch (error) {
      this.unmap();
      throw error;
    }
    this.#provideMore(this.#initially);
  }

  /** How many can be received with now. */
  get left(): number {
    return Math.max(0, this.#most - this.#kept - this.inUse);
  }

  /** The kernel has filled this one. */
  take(id: number): void {
    this.inUse++;
    this.#states[id] = taken;
    if (this.inUse > this.#mostInUse) this.#mostInUse = this.inUse;
    if (this.inUse * 4 > this.#provided * 3) this.grow();
  }

  /** How many can be borrowed now. */
  get toLend(): number {
    return this.#most - this.#provided;
  }

  /** One that the kernel does not have, for bytes of our own; undefined where there is none. */
  borrow(): number | undefined {
    if (this.toLend === 0) return undefined;
    const id = this.#spare.pop() ?? this.#touched++;
    this.#provided++;
    this.inUse++;
    this.#states[id] = taken;
    if (this.inUse > this.#mostInUse) this.#mostInUse = this.inUse;
    return id;
  }

  giveBack(id: number): void {
    this.inUse--;
    if (this.#provided <= this.#target) return this.#provide(id);
    this.#provided--;
    this.#spare.push(id);
    this.#release(id, 1);
  }

  view(id: number, start: number, end: number): Uint8Array {
    const number = Math.floor(id / this.#slabBuffers);
    let slab = this.#slabs[number];
    if (slab === undefined) {
      const first = number * this.#slabBuffers;
      const count = Math.min(this.#slabBuffers, this.#most - first);
      slab = new Uint8Array(this.#libc.view(this.memory + first * this.#bytesEach, count * this.#bytesEach));
      this.#slabs[number] = slab;
    }
    const at = (id % this.#slabBuffers) * this.#bytesEach;
    return slab.subarray(at + start, at + end);
  }

  /**
   * The kernel found none left: gives it more. False if there are no more. Only once a turn: receives that go on take
   * all there is before what they have brought is looked at, and in the next turn those with enough are stopped.
   */
  grow(): boolean {
    this.#hasGrown ||= this.#provideMore(Math.min(this.#provided, growthBytesMax / this.#bytesEach));
    return this.#hasGrown;
  }

  beginTurn(): void {
    this.#hasGrown = false;
  }

  /**
   * Compares what is provided with what was needed since the last look, and gives the rest back. Only while no
   * completion waits that brings a filled buffer. Returns whether there is something to give back later.
   */
  releaseIdle(): boolean {
    const wanted = this.#mostInUse === 0 ? 0 : Math.max(this.#initially, 2 * this.#mostInUse);
    this.#mostInUse = this.inUse;
    if (this.#provided > wanted) {
      this.#target = Math.max(this.#initially, wanted);
      this.#releaseWaiting();
    }
    return this.inUse > 0 || this.#provided > this.#initially || this.#states.includes(waiting);
  }

  unmap(): void {
    this.#slabs.length = 0;
    this.#libc.munmap(this.memory, Math.max(1, this.#most) * this.#bytesEach);
    this.#libc.munmap(this.#ringMemory, this.#entries * kernel.bufferEntry.bytes);
  }

  /** Buffers that wait in the ring stay there, but without their pages. */
  #releaseWaiting(): void {
    let from = this.#states.indexOf(waiting);
    while (from >= 0) {
      let end = from + 1;
      while (this.#states[end] === waiting) end++;
      this.#release(from, end - from);
      from = this.#states.indexOf(waiting, end);
    }
  }

  #release(id: number, count: number): void {
    this.#states.fill(untouched, id, id + count);
    this.#libc.madvise(this.memory + id * this.#bytesEach, count * this.#bytesEach, kernel.MADV_DONTNEED);
  }

  #provideMore(count: number): boolean {
    const more = Math.max(0, Math.min(Math.max(1, count), this.#most - this.#kept - this.#provided));
    for (let i = 0; i < more; i++) this.#provide(this.#spare.pop() ?? this.#touched++);
    this.#provided += more;
    this.#target = Math.max(this.#target, this.#provided);
    return more > 0;
  }

  #provide(id: number): void {
    const entry = this.#tail & (this.#entries - 1);
    writeAddress(this.#words, entry * 4, this.memory + id * this.#bytesEach + this.#frontBytes);
    this.#words[entry * 4 + 2] = this.#bytesEach - this.#frontBytes;
    // Not as a word with what follows it: that is the tail, in the first entry.
    this.#halfWords[entry * 8 + kernel.bufferEntry.idHalfWord] = id;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#halfWords[kernel.bufferEntry.tailHalfWord] = this.#tail;
    if (this.#states[id] === taken) this.#states[id] = waiting;
  }
}
