/**
 * Buffers that the kernel receives into. They wait in rings shared with it, from which it takes one as bytes
 * come: a connection that is silent holds none. A taken buffer is a *chunk*, a number; its bytes are sent from
 * where they lie, and then it goes back. Nobody looks at them, but for the first ones of some clients.
 *
 * Small ones serve messages, large ones streams. Each group begins with a few, so that they stay in the
 * processor's caches, grows as they are taken, and shrinks as they come back; its most is the bound.
 *
 * Readers that stall hold what was received for them. Once half of the small buffers are held, everybody's share is
 * one buffer at a time, and that from the reserve, which only those get who hold nothing: as many as there are
 * buffers in it may stall, and whoever goes on reading is still served.
 */
import * as kernel from './kernel.ts';
import { type Libc, mapMemory, type Pointer } from './libc.ts';
import { type Ring, writeAddress } from './ring.ts';

export type Chunk = number;
export type Group = 0 | 1 | 2;

export const smallGroup: Group = 0;
export const largeGroup: Group = 1;
export const reserveGroup: Group = 2;
export const smallBytes = 16 * 1024;
/** With 256 KiB one download or upload takes a third more CPU for each MiB, and is 8 to 19 % slower. */
export const largeBytes = 1024 * 1024;

/** The most buffers of each group: powers of two, and no more than `groupSpan`. */
export interface BufferBounds {
  readonly small: number;
  readonly large: number;
  readonly reserve: number;
}

/** 256, 128 and 256 MiB of addresses; memory is used as far as bytes wait for slow readers. */
const defaultBounds: BufferBounds = { small: 16_384, large: 128, reserve: 16_384 };

/** Numbers for each group's chunks. A ring of buffers can have 32,768 at most. */
const groupSpan = 16_384;

/** Chunks that may wait for one slow reader while there are plenty. */
const plentifulShare = 8;

export class Buffers {
  readonly #small: BufferGroup;
  readonly #large: BufferGroup;
  readonly #reserve: BufferGroup;
  readonly #scarceFrom: number;
  readonly #libc: Libc;
  /** By chunk: where the bytes in it begin, how many they are, and which one is to be sent after it. */
  readonly starts = new Int32Array(3 * groupSpan);
  readonly lengths = new Int32Array(3 * groupSpan);
  readonly next = new Int32Array(3 * groupSpan);

  constructor(libc: Libc, ring: Ring, { small, large, reserve }: BufferBounds = defaultBounds) {
    const made: BufferGroup[] = [];
    const group = (which: Group, bytesEach: number, initially: number, most: number): BufferGroup => {
      const one = new BufferGroup(libc, ring, which, {
        bytesEach,
        initially: Math.min(initially, most),
        most,
      });
      made.push(one);
      return one;
    };
    try {
      this.#small = group(smallGroup, smallBytes, 256, small);
      this.#large = group(largeGroup, largeBytes, 4, large);
      this.#reserve = group(reserveGroup, smallBytes, 8, reserve);
    } catch (error) {
      for (const one of made) one.unmap();
      throw error;
    }
    libc.madvise(this.#small.memory, small * smallBytes, kernel.MADV_NOHUGEPAGE);
    libc.madvise(this.#reserve.memory, reserve * smallBytes, kernel.MADV_NOHUGEPAGE);
    this.#libc = libc;
    this.#scarceFrom = small / 2;
  }

  /** The kernel has filled this buffer of the group. */
  take(group: Group, id: number): Chunk {
    this.#group(group).take();
    return group * groupSpan + id;
  }

  giveBack(chunk: Chunk): void {
    if (chunk < groupSpan) this.#small.giveBack(chunk);
    else if (chunk < 2 * groupSpan) this.#large.giveBack(chunk - groupSpan);
    else this.#reserve.giveBack(chunk - 2 * groupSpan);
  }

  addressOf(chunk: Chunk): Pointer {
    if (chunk < groupSpan) return this.#small.memory + chunk * smallBytes;
    if (chunk < 2 * groupSpan) return this.#large.memory + (chunk - groupSpan) * largeBytes;
    return this.#reserve.memory + (chunk - 2 * groupSpan) * smallBytes;
  }

  /**
   * Puts so many bytes of one chunk behind those of another and gives it back, where there is room for them. Only
   * for chunks that nothing is under way with.
   */
  joins(first: Chunk, second: Chunk, length: number): boolean {
    const firstLength = this.lengths[first] ?? 0;
    const end = (this.starts[first] ?? 0) + firstLength;
    const isLarge = first >= groupSpan && first < 2 * groupSpan;
    if (end + length > (isLarge ? largeBytes : smallBytes)) return false;
    this.#libc.memcpy(this.addressOf(first) + end, this.addressOf(second), length);
    this.lengths[first] = firstLength + length;
    this.giveBack(second);
    return true;
  }

  /** The bytes of a chunk in place, but for the first ones. */
  view(chunk: Chunk, skippedBytes: number): Uint8Array {
    const start = (this.starts[chunk] ?? 0) + skippedBytes;
    const end = (this.starts[chunk] ?? 0) + (this.lengths[chunk] ?? 0);
    if (chunk < groupSpan) return this.#small.view(chunk, start, end);
    if (chunk < 2 * groupSpan) return this.#large.view(chunk - groupSpan, start, end);
    return this.#reserve.view(chunk - 2 * groupSpan, start, end);
  }

  /** The kernel found none left: gives it more. False if there are no more. */
  grow(group: Group): boolean {
    return this.#group(group).grow();
  }

  /** So many small ones are held that nobody should be given many at once. */
  get areScarce(): boolean {
    return this.#small.inUse > this.#scarceFrom;
  }

  /** How many chunks may wait for one reader before its sender is no longer read. */
  get share(): number {
    return this.areScarce ? 1 : plentifulShare;
  }

  /** The group to receive messages with, one by one. */
  get singles(): Group {
    return this.areScarce ? reserveGroup : smallGroup;
  }

  /** How many messages can be received now. */
  get left(): number {
    return this.#group(this.singles).left;
  }

  /** Buffers taken and not given back. */
  get inUse(): number {
    return this.#small.inUse + this.#large.inUse + this.#reserve.inUse;
  }

  /** Only once the ring is closed, and with it all that the kernel might write. */
  unmap(): void {
    this.#small.unmap();
    this.#large.unmap();
    this.#reserve.unmap();
  }

  #group(group: Group): BufferGroup {
    if (group === smallGroup) return this.#small;
    return group === largeGroup ? this.#large : this.#reserve;
  }
}

const slabBytes = 4 * 1024 * 1024;

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
  /**
   * Views of the memory, so many buffers each, made once somebody looks: one view of all would be hundreds of
   * megabytes in the engine's accounts.
   */
  readonly #slabs: (Uint8Array | undefined)[] = [];
  readonly #slabBuffers: number;

  constructor(
    libc: Libc,
    ring: Ring,
    group: Group,
    {
      bytesEach,
      initially,
      most,
    }: { readonly bytesEach: number; readonly initially: number; readonly most: number },
  ) {
    this.#libc = libc;
    this.#bytesEach = bytesEach;
    this.#initially = initially;
    this.#most = most;
    this.#slabBuffers = Math.min(most, slabBytes / bytesEach);
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

  get left(): number {
    return this.#most - this.inUse;
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

  view(id: number, start: number, end: number): Uint8Array {
    const number = Math.floor(id / this.#slabBuffers);
    let slab = this.#slabs[number];
    if (slab === undefined) {
      const address = this.memory + number * this.#slabBuffers * this.#bytesEach;
      slab = new Uint8Array(this.#libc.view(address, this.#slabBuffers * this.#bytesEach));
      this.#slabs[number] = slab;
    }
    const at = (id % this.#slabBuffers) * this.#bytesEach;
    return slab.subarray(at + start, at + end);
  }

  grow(): boolean {
    return this.#provideMore(this.#provided);
  }

  unmap(): void {
    this.#slabs.length = 0;
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
