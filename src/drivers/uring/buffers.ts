/**
 * All the memory that peers can make this driver hold: buffers that the kernel receives into, in groups
 * (`buffer-group.ts`), and cells for small pieces that wait (`cells.ts`). A silent connection holds none. A taken
 * piece is a *chunk*, a number; its bytes are sent from where they lie, and then it goes back.
 *
 * Small buffers serve messages, large ones streams. Readers that stall hold what was received for them, and so do
 * clients that wait for a backend. Once half of the small buffers are held, they are scarce:
 * - a joined link may have one chunk waiting for its partner, and gets that from the reserve;
 * - a link that is not joined is read only while it holds nothing, from the small ones that are left;
 * so that a peer that goes on reading is still served, however many wait.
 */
import { BufferGroup, type GroupSize } from './buffer-group.ts';
import { Cells, cellBytes } from './cells.ts';
import * as kernel from './kernel.ts';
import type { Libc, Pointer } from './libc.ts';
import type { Ring } from './ring.ts';

export type Chunk = number;
export type Group = 0 | 1 | 2;

export const smallGroup: Group = 0;
export const largeGroup: Group = 1;
export const reserveGroup: Group = 2;
export const smallBytes = 16 * 1024;
/** With 256 KiB one download or upload takes a third more CPU for each MiB, and is 8 to 19 % slower. */
export const largeBytes = 1024 * 1024;

/**
 * What is received leaves room in front of it for what TLS adds to records, so that it is sealed towards the beginning,
 * in place.
 */
const frontBytes = 512;
const largeFrontBytes = 4 * 1024;
/** What a cell holds of bytes that were copied, so that there is room for what TLS adds to them. */
export const cellRoomBytes = cellBytes - 96;

/** What is received at once at most, in small buffers. */
export const smallReceivedBytes = smallBytes - frontBytes;

/** The most pieces of each kind. */
export interface BufferBounds {
  readonly small: number;
  readonly large: number;
  readonly reserve: number;
  readonly cells: number;
}

/** Numbers for the chunks of each group, and from there on for cells. */
const groupSpan = 16_384;
const firstCell = 3 * groupSpan;
const cellsMax = 32_768;

/**
 * Shares out so many bytes: no more than that is ever held. Large buffers have a sixteenth, and also what the others
 * can't have, of which there are only so many: beyond some 400 MiB.
 */
export function boundsOf(bytes: number): BufferBounds {
  const reserve = Math.min(groupSpan, Math.max(2, Math.floor(bytes / 4 / smallBytes)));
  const cells = Math.min(cellsMax, Math.floor(bytes / 16 / cellBytes));
  const sixteenth = Math.floor(bytes / 16 / largeBytes) * largeBytes;
  const left = bytes - reserve * smallBytes - cells * cellBytes;
  const small = Math.min(groupSpan, Math.max(4, Math.floor((left - sixteenth) / smallBytes)));
  const large = Math.min(groupSpan, Math.max(0, Math.floor((left - small * smallBytes) / largeBytes)));
  return { small, large, reserve, cells };
}

/** Chunks that may wait for one slow reader while there are plenty. */
const plentifulShare = 8;
/**
 * Half of the large buffers are kept for streams whose reader was given more than this: more than the kernel takes for
 * one that never reads (4 MiB by default, `net.ipv4.tcp_wmem`). Such ones would soon have all of them otherwise, and a
 * download beside them takes more than twice the CPU.
 */
const provenBytes = 8 * 1024 * 1024;
/** While no more small buffers are held, what waits stays in them: to copy it would save little. */
const heldInPlaceMax = 64;
const copiedBytesMax = 4 * cellRoomBytes;

export class Buffers {
  readonly #groups: readonly [BufferGroup, BufferGroup, BufferGroup];
  readonly #small: BufferGroup;
  readonly #large: BufferGroup;
  readonly #cells: Cells;
  readonly #scarceFrom: number;
  readonly #largeKept: number;
  readonly #libc: Libc;
  readonly #ring: Ring;
  /** When `due` wants to be called. */
  dueMs = Number.POSITIVE_INFINITY;
  /** By chunk: where the bytes in it begin, how many they are, and which one is to be sent after it. */
  readonly starts = new Int32Array(firstCell + cellsMax);
  readonly lengths = new Int32Array(firstCell + cellsMax);
  readonly next = new Int32Array(firstCell + cellsMax);

  constructor(libc: Libc, ring: Ring, { small, large, reserve, cells }: BufferBounds) {
    const made: { unmap(): void }[] = [];
    const keep = <Made extends { unmap(): void }>(one: Made): Made => {
      made.push(one);
      return one;
    };
    const group = (number: Group, size: GroupSize): BufferGroup =>
      keep(new BufferGroup(libc, ring, number, size));
    const ofSmall = { bytesEach: smallBytes, frontBytes };
    const ofLarge = { bytesEach: largeBytes, frontBytes: largeFrontBytes };
    try {
      this.#small = group(smallGroup, { ...ofSmall, initially: 256, most: small, kept: keptOf(small) });
      this.#large = group(largeGroup, { ...ofLarge, initially: 4, most: large, kept: 0 });
      const kept = group(reserveGroup, { ...ofSmall, initially: 8, most: reserve, kept: keptOf(reserve) });
      this.#groups = [this.#small, this.#large, kept];
      this.#cells = keep(new Cells(libc, cells));
    } catch (error) {
      for (const one of made) one.unmap();
      throw error;
    }
    libc.madvise(this.#small.memory, small * smallBytes, kernel.MADV_NOHUGEPAGE);
    libc.madvise(this.#groups[reserveGroup].memory, reserve * smallBytes, kernel.MADV_NOHUGEPAGE);
    this.#libc = libc;
    this.#ring = ring;
    this.#scarceFrom = small / 2;
    this.#largeKept = Math.floor(large / 2);
  }

  /** The kernel has filled this buffer of the group. */
  take(group: Group, id: number): Chunk {
    this.#groups[group].take(id);
    const chunk = group * groupSpan + id;
    this.starts[chunk] = group === largeGroup ? largeFrontBytes : frontBytes;
    return chunk;
  }

  /** How many small buffers can be borrowed now. */
  get toLend(): number {
    return this.#small.toLend + this.#groups[reserveGroup].toLend;
  }

  /** A chunk for so many bytes of our own, a small buffer's at most; undefined where none is left. */
  borrow(bytes: number): Chunk | undefined {
    const chunk = this.#borrowed(bytes);
    if (chunk !== undefined) this.starts[chunk] = 0;
    return chunk;
  }

  #borrowed(bytes: number): Chunk | undefined {
    if (bytes <= cellBytes && this.#cells.left > 0) return firstCell + this.#cells.take();
    const [small, , reserve] = this.#groups;
    const id = small.borrow();
    if (id !== undefined) return id;
    const kept = reserve.borrow();
    return kept === undefined ? undefined : reserveGroup * groupSpan + kept;
  }

  giveBack(chunk: Chunk): void {
    if (chunk < groupSpan) this.#small.giveBack(chunk);
    else if (chunk < 2 * groupSpan) this.#large.giveBack(chunk - groupSpan);
    else if (chunk < firstCell) this.#groups[reserveGroup].giveBack(chunk - 2 * groupSpan);
    else this.#cells.giveBack(chunk - firstCell);
  }

  addressOf(chunk: Chunk): Pointer {
    if (chunk < groupSpan) return this.#small.memory + chunk * smallBytes;
    if (chunk < 2 * groupSpan) return this.#large.memory + (chunk - groupSpan) * largeBytes;
    if (chunk < firstCell) return this.#groups[reserveGroup].memory + (chunk - 2 * groupSpan) * smallBytes;
    return this.#cells.memory + (chunk - firstCell) * cellBytes;
  }

  /** Where its bytes begin. */
  bytesAt(chunk: Chunk): Pointer {
    return this.addressOf(chunk) + (this.starts[chunk] ?? 0);
  }

  /** Whether so few bytes that wait are to be copied out of their buffer, so that it can go back. */
  areCopied(length: number): boolean {
    return (
      length <= copiedBytesMax &&
      this.#small.inUse > heldInPlaceMax &&
      this.#cells.left * cellRoomBytes >= copiedBytesMax
    );
  }

  /** A cell with a part of a chunk's bytes. Only where `areCopied` said so. */
  copyOf(chunk: Chunk, skippedBytes: number, length: number): Chunk {
    const cell = firstCell + this.#cells.take();
    this.starts[cell] = 0;
    this.#libc.memcpy(this.addressOf(cell), this.bytesAt(chunk) + skippedBytes, length);
    return cell;
  }

  /**
   * Puts so many bytes of one chunk behind those of another and gives it back, where there is room for them. Only
   * for chunks that nothing is under way with.
   */
  joins(first: Chunk, second: Chunk, length: number): boolean {
    const firstLength = this.lengths[first] ?? 0;
    const end = (this.starts[first] ?? 0) + firstLength;
    if (end + length > (first >= firstCell ? cellRoomBytes : bytesOf(first))) return false;
    this.#libc.memcpy(this.addressOf(first) + end, this.bytesAt(second), length);
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
    if (chunk < firstCell) return this.#groups[reserveGroup].view(chunk - 2 * groupSpan, start, end);
    return this.#cells.view(chunk - firstCell, start, end);
  }

  /** The kernel found none left: gives it more. False if there are no more. */
  grow(group: Group): boolean {
    return this.#groups[group].grow();
  }

  beginTurn(): void {
    for (const group of this.#groups) group.beginTurn();
  }

  /** Half of the small ones are held: nobody should be given many at once. */
  get areScarce(): boolean {
    return this.#small.inUse > this.#scarceFrom;
  }

  /** How many chunks may wait for one reader before its sender is no longer read. */
  get share(): number {
    return this.areScarce ? 1 : plentifulShare;
  }

  /** Whether there is a large one for a stream whose reader was given so many bytes before. */
  hasLargeAfter(sentBytes: number): boolean {
    return this.#large.left > (sentBytes < provenBytes ? this.#largeKept : 0);
  }

  /** The group that joined links receive their messages with, one by one. */
  get singles(): Group {
    return this.areScarce ? reserveGroup : smallGroup;
  }

  /** How many of the group can be received with now. */
  left(group: Group): number {
    return this.#groups[group].left;
  }

  /** Pieces taken and not given back. */
  get inUse(): number {
    let inUse = this.#cells.inUse;
    for (const group of this.#groups) inUse += group.inUse;
    return inUse;
  }

  /** What the pieces take that were taken and not given back. */
  get bytesInUse(): number {
    const [small, large, reserve] = this.#groups;
    const cells = this.#cells.inUse * cellBytes;
    return (small.inUse + reserve.inUse) * smallBytes + large.inUse * largeBytes + cells;
  }

  /** Some were used: what nobody needs any more is looked for. Returns whether `dueMs` has changed. */
  releaseLater(nowMs: number): boolean {
    if (this.dueMs !== Number.POSITIVE_INFINITY || this.inUse === 0) return false;
    this.dueMs = nowMs + releaseEveryMs;
    return true;
  }

  /**
   * Gives the system back what nobody has needed for a while. A buffer that was filled and not taken must keep its
   * pages.
   */
  due(nowMs: number): void {
    const hasMore = this.#ring.hasCompletions || this.#releaseIdle();
    this.dueMs = hasMore ? nowMs + releaseEveryMs : Number.POSITIVE_INFINITY;
  }

  /** Says whether to look again. */
  #releaseIdle(): boolean {
    let hasMore = this.#cells.releaseIdle();
    for (const group of this.#groups) if (group.releaseIdle()) hasMore = true;
    return hasMore;
  }

  /** Only once the ring is closed, and with it all that the kernel might write. */
  unmap(): void {
    for (const group of this.#groups) group.unmap();
    this.#cells.unmap();
  }
}

/** What is idle for two looks goes back to the system. */
const releaseEveryMs = 500;

/** Handshakes and records that came in parts need few beside those that are received with. */
function keptOf(most: number): number {
  return Math.floor(most / 8);
}

/** What there is room for in a chunk. */
export function bytesOf(chunk: Chunk): number {
  if (chunk >= firstCell) return cellBytes;
  return isLarge(chunk) ? largeBytes : smallBytes;
}

export function isLarge(chunk: Chunk): boolean {
  return chunk >= groupSpan && chunk < 2 * groupSpan;
}
