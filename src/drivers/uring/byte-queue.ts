/**
 * Bytes that wait: held of a link until it is joined, or to be sent to a link's peer. A chain of chunks, first in,
 * first out. There is one only while something waits, and then it is kept for the next link that has something: an idle
 * link has none.
 */
import { type Buffers, type Chunk, cellRoomBytes } from './buffers.ts';

const none: Chunk = -1;

export class ByteQueues {
  readonly #spare: ByteQueue[] = [];

  take(): ByteQueue {
    return this.#spare.pop() ?? new ByteQueue();
  }

  /** It must be empty. */
  giveBack(queue: ByteQueue): void {
    this.#spare.push(queue);
  }
}

export class ByteQueue {
  bytes = 0;
  count = 0;
  #first: Chunk = none;
  #last: Chunk = none;

  get isEmpty(): boolean {
    return this.#first === none;
  }

  /** The chunk to send next; only where it is not empty. */
  get first(): Chunk {
    return this.#first;
  }

  /** Bytes that begin where `buffers.starts` says. */
  append(chunk: Chunk, length: number, buffers: Buffers): void {
    buffers.lengths[chunk] = length;
    buffers.next[chunk] = none;
    if (this.#first === none) this.#first = chunk;
    else buffers.next[this.#last] = chunk;
    this.#last = chunk;
    this.bytes += length;
    this.count++;
  }

  /** This many bytes were written behind those of the first chunk. */
  lengthenFirst(bytes: number, buffers: Buffers): void {
    buffers.lengths[this.#first] = (buffers.lengths[this.#first] ?? 0) + bytes;
    this.bytes += bytes;
  }

  /** As `append`, but in as little memory as it fits into: it may wait for long. Only while nothing of it is sent. */
  hold(chunk: Chunk, length: number, buffers: Buffers): void {
    if (!this.isEmpty && buffers.joins(this.#last, chunk, length)) {
      this.bytes += length;
      return;
    }
    if (!buffers.areCopied(length)) return this.append(chunk, length, buffers);
    for (let start = 0; start < length; start += cellRoomBytes) {
      const piece = Math.min(cellRoomBytes, length - start);
      this.append(buffers.copyOf(chunk, start, piece), piece, buffers);
    }
    buffers.giveBack(chunk);
  }

  /** Forgets the first so many bytes; only while nothing of it is sent. */
  discard(bytes: number, buffers: Buffers): void {
    let left = Math.min(bytes, this.bytes);
    while (left > 0) {
      const chunk = this.#first;
      const length = buffers.lengths[chunk] ?? 0;
      if (left < length) {
        buffers.starts[chunk] = (buffers.starts[chunk] ?? 0) + left;
        buffers.lengths[chunk] = length - left;
        this.bytes -= left;
        return;
      }
      left -= length;
      this.drop(buffers);
    }
  }

  /** Copies its bytes, but for the first ones, to where they belong in one piece of them all. */
  copyInto(piece: Uint8Array, skippedBytes: number, buffers: Buffers): void {
    let at = 0;
    for (let chunk = this.#first; chunk !== none; chunk = buffers.next[chunk] ?? none) {
      const length = buffers.lengths[chunk] ?? 0;
      const skipped = Math.max(0, skippedBytes - at);
      if (skipped < length) piece.set(buffers.view(chunk, skipped), at + skipped);
      at += length;
    }
  }

  /** The first chunk, which is somebody else's from now on. */
  shift(buffers: Buffers): Chunk {
    const chunk = this.#first;
    this.#first = buffers.next[chunk] ?? none;
    this.bytes -= buffers.lengths[chunk] ?? 0;
    this.count--;
    return chunk;
  }

  /** Gives the first chunk back to its buffers. */
  drop(buffers: Buffers): void {
    buffers.giveBack(this.shift(buffers));
  }

  clear(buffers: Buffers): void {
    while (!this.isEmpty) this.drop(buffers);
  }
}
