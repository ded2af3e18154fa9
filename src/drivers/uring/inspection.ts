/**
 * What the core asks about the first bytes of a client, and the answer: all that is held of them, in one piece. As a
 * rule that is one buffer, shown where it lies. Several are copied side by side, and only to be shown: what is sent
 * to the backend are the buffers themselves.
 */
import type { Buffers } from './buffers.ts';
import type { ByteQueue } from './byte-queue.ts';

export class Inspection {
  /** What the core has seen; without a question, more than there can be. */
  #beyond = Number.POSITIVE_INFINITY;
  #piece: Uint8Array = nothing;
  #copiedBytes = 0;

  ask(beyond: number): void {
    this.#beyond = beyond;
  }

  /** The bytes that were asked for, if there was a question and they are there. Good until the core has seen them. */
  answer(held: ByteQueue, buffers: Buffers): Uint8Array | undefined {
    if (held.bytes <= this.#beyond) return undefined;
    this.#beyond = Number.POSITIVE_INFINITY;
    if (held.count === 1) return buffers.view(held.first, 0);
    if (held.bytes > this.#piece.length) this.#makeRoom(held.bytes);
    held.copyInto(this.#piece, this.#copiedBytes, buffers);
    this.#copiedBytes = held.bytes;
    return this.#piece.subarray(0, held.bytes);
  }

  /** The piece grows by doubling: a byte is copied about twice, however often the core asks. */
  #makeRoom(bytes: number): void {
    const piece = new Uint8Array(2 * bytes);
    piece.set(this.#piece.subarray(0, this.#copiedBytes));
    this.#piece = piece;
  }

  /** The first so many bytes are held no longer. */
  discarded(bytes: number): void {
    this.#piece = this.#piece.subarray(Math.min(bytes, this.#copiedBytes));
    this.#copiedBytes = Math.max(0, this.#copiedBytes - bytes);
  }
}

const nothing = new Uint8Array(0);
