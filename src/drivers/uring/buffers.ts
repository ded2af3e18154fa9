/**
 * Buffers that the kernel receives into. They wait in rings shared with it, from which it takes one as bytes
 * come: a connection that is silent holds none. A taken buffer is a *chunk*, a number; its bytes are never looked
 * at, only sent from where they lie, and then it goes back.
 *
 * Small ones serve messages, large ones streams. Each group begins with a few, so that they stay in the
 * processor's caches, grows as they are taken, and shrinks as they come back; its most is the bound.
 */
import * as kernel from './kernel.ts';
import { type Libc, mapMemory, type Pointer } from './libc.ts';
import { type Ring, writeAddress } from './ring.ts';

export type Chunk = number;
export type Group = 0 | 1;

export const smallGroup: Group = 0;
export const largeGroup: Group = 1;
export const smallBytes = 16 * 1024;
export const largeBytes = 256 * 1024;

/** 512 MiB and 64 MiB of addresses; memory is used as far as bytes wait for slow readers. */
const groups = [
  { bytesEach: smallBytes, initially: 256, most: 32_768 },
  { bytesEach: largeBytes, initially: 8, most: 256 },
] as const;

export class Buffers {
  readonly #small: BufferGroup;
  readonly #large: BufferGroup;
  /** By chunk: how many bytes are in it, and which one is to be sent after it. */
  readonly lengths = new Int32Array(2 * groupSpan);
  readonly next = new Int32Array(2 * groupSpan);

  constructor(libc: Libc, ring: Ring) {
    this.#small = new BufferGroup(libc, ring, smallGroup);
    try {
      this.#large = new BufferGroup(libc, ring, largeGroup);
    } catch (error) {
      this.#small.unmap();
      throw error;
    }
    libc.madvise(this.#small.memory, groups[smallGroup].most * smallBytes, kernel.MADV_NOHUGEPAGE);
  }

  /** The kernel has filled this buffer of the group. */
  take(group: Group, id: number): Chunk {
    this.#group(group).take();
    return group * groupSpan + id;
  }

  giveBack(chunk: Chunk): void {
    if (chunk < groupSpan) this.#small.giveBack(chunk);
    else this.#large.giveBack(chunk - groupSpan);
  }

  addressOf(chunk: Chunk): Pointer {
    return chunk < groupSpan
      ? this.#small.memory + chunk * smallBytes
      : this.#large.memory + (chunk - groupSpan) * largeBytes;
  }

  /** The kernel found none left: gives it more. False if there are no more. */
  grow(group: Group): boolean {
    return this.#group(group).grow();
  }

  /** Whether so many are taken that nobody should be given many at once. */
  get areScarce(): boolean {
    return this.#small.inUse > groups[smallGroup].most / 2;
  }

  get smallLeft(): number {
    return groups[smallGroup].most - this.#small.inUse;
  }

  /** Buffers taken and not given back. */
  get inUse(): number {
    return this.#small.inUse + this.#large.inUse;
  }

  /** Only once the ring is closed, and with it all that the kernel might write. */
  unmap(): void {
    this.#small.unmap();
    this.#large.unmap();
  }

  #group(group: Group): BufferGroup {
    return group === smallGroup ? this.#small : this.#large;
  }
}

/** Numbers for each group's chunks: the most that a ring of buffers can have. */
const groupSpan = 32_768;

class BufferGroup {
  readonly memory: Pointer;
  inUse = 0;
  readonly #libc: Libc;
  readonly #bytesEach: number;
  readonly #initially: number;
  readonly #most: number;
  readonly #ringMemory: Pointer;
  readonly #words: Uint32Array;
  readonly #halfWords: Uint16Array;
  #tail = 0;
  /** Buffers that the kernel may take or has taken. */
  #provided = 0;
  /** Returns in a row while few were in use: a group shrinks after a calm, not between two bursts. */
  #calmReturns = 0;
  /** Ids below this were provided once. */
  #touched = 0;
  /** Of those, the ones that are not provided now. */
  readonly #spare: number[] = [];

  constructor(libc: Libc, ring: Ring, group: Group) {
    const { bytesEach, initially, most } = groups[group];
    this.#libc = libc;
    this.#bytesEach = bytesEach;
    this.#initially = initially;
    this.#most = most;
    const flags = kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS | kernel.MAP_NORESERVE;
    this.memory = mapMemory(libc, most * bytesEach, flags);
    const ringBytes = most * kernel.bufferEntry.bytes;
    this.#ringMemory = mapMemory(libc, ringBytes, kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS);
    const shared = libc.view(this.#ringMemory, ringBytes);
    this.#words = new Uint32Array(shared);
    this.#halfWords = new Uint16Array(shared);
    try {
      ring.registerBuffers(group, this.#ringMemory, most);
    } catch (error) {
      this.unmap();
      throw error;
    }
    this.#provideMore(initially);
  }

  take(): void {
    this.inUse++;
    if (this.inUse * 4 > this.#provided * 3) this.grow();
  }

  giveBack(id: number): void {
    this.inUse--;
    const isCalm = this.#provided > this.#initially && this.inUse * 8 < this.#provided;
    this.#calmReturns = isCalm ? this.#calmReturns + 1 : 0;
    if (this.#calmReturns > 8 * this.#provided) this.#keep(id);
    else this.#provide(id);
  }

  grow(): boolean {
    return this.#provideMore(this.#provided);
  }

  unmap(): void {
    this.#libc.munmap(this.memory, this.#most * this.#bytesEach);
    this.#libc.munmap(this.#ringMemory, this.#most * kernel.bufferEntry.bytes);
  }

  #provideMore(count: number): boolean {
    const more = Math.min(count, this.#most - this.#provided);
    for (let i = 0; i < more; i++) this.#provide(this.#spare.pop() ?? this.#touched++);
    this.#provided += more;
    return more > 0;
  }

  /** Lets the system have the memory until the buffer is needed again. */
  #keep(id: number): void {
    this.#provided--;
    this.#spare.push(id);
    this.#libc.madvise(this.memory + id * this.#bytesEach, this.#bytesEach, kernel.MADV_DONTNEED);
  }

  #provide(id: number): void {
    const entry = this.#tail & (this.#most - 1);
    writeAddress(this.#words, entry * 4, this.memory + id * this.#bytesEach);
    this.#words[entry * 4 + 2] = this.#bytesEach;
    // Not as a word with what follows it: that is the tail, in the first entry.
    this.#halfWords[entry * 8 + kernel.bufferEntry.idHalfWord] = id;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#halfWords[kernel.bufferEntry.tailHalfWord] = this.#tail;
  }
}
