/**
 * What is to be sent to one side of a session: a chain of chunks, first in, first out. There is one only while
 * something is to be sent, and then it is kept for whoever has something next: an idle connection holds none.
 */
import type { Buffers, Chunk } from './buffers.ts';

const none: Chunk = -1;

export class Outboxes {
  readonly #spare: Outbox[] = [];

  take(): Outbox {
    return this.#spare.pop() ?? new Outbox();
  }

  /** It must be empty. */
  giveBack(outbox: Outbox): void {
    this.#spare.push(outbox);
  }
}

export class Outbox {
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

  /** As `append`, but in as few chunks as it fits into; only while nothing of it is sent. */
  appendDensely(chunk: Chunk, length: number, buffers: Buffers): void {
    if (this.isEmpty || !buffers.joins(this.#last, chunk, length)) {
      return this.append(chunk, length, buffers);
    }
    this.bytes += length;
  }

  append(chunk: Chunk, length: number, buffers: Buffers): void {
    buffers.starts[chunk] = 0;
    buffers.lengths[chunk] = length;
    buffers.next[chunk] = none;
    if (this.#first === none) this.#first = chunk;
    else buffers.next[this.#last] = chunk;
    this.#last = chunk;
    this.bytes += length;
    this.count++;
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

  /** Gives the first chunk back to its buffers. */
  drop(buffers: Buffers): void {
    const chunk = this.#first;
    this.#first = buffers.next[chunk] ?? none;
    this.bytes -= buffers.lengths[chunk] ?? 0;
    this.count--;
    buffers.giveBack(chunk);
  }
}
