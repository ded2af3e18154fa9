/**
 * What the core asks about the first bytes of a client, and the answer: all that is held of them, in one piece. As a
 * rule that is one buffer, shown where it lies. Several are copied side by side, and only to be shown: what is sent
 * to the backend are the buffers themselves. There is one such copy for all clients of a thread, since the core looks
 * at it at once: the bound of `memory.buffers` does not see it.
 */
import type { Buffers } from './buffers.ts';
import type { ByteQueue } from './byte-queue.ts';

export class Inspection {
  /** What the core has seen; without a question, more than there can be. */
  #beyond = Number.POSITIVE_INFINITY;

  ask(beyond: number): void {
    this.#beyond = beyond;
  }

  /** The bytes that were asked for, if there was a question and they are there. Good until others are shown. */
  answer(held: ByteQueue, buffers: Buffers): Uint8Array | undefined {
    if (held.bytes <= this.#beyond) return undefined;
    this.#beyond = Number.POSITIVE_INFINITY;
    if (held.count === 1) return buffers.view(held.first, 0);
    const isOthers = copy.of !== this;
    copy.of = this;
    if (isOthers) copy.bytes = 0;
    if (held.bytes > copy.piece.length) makeRoom(held.bytes);
    held.copyInto(copy.piece, copy.bytes, buffers);
    copy.bytes = held.bytes;
    return copy.piece.subarray(0, held.bytes);
  }

  /** The first bytes are held no longer. */
  discarded(): void {
    if (copy.of === this) copy.of = undefined;
  }
}

/**
 * The piece grows by doubling. As long as it is one client's, a byte is copied about twice, however often the core
 * asks.
 */
function makeRoom(bytes: number): void {
  const piece = new Uint8Array(2 * bytes);
  piece.set(copy.piece.subarray(0, copy.bytes));
  copy.piece = piece;
}

const copy: { of: Inspection | undefined; piece: Uint8Array; bytes: number } = {
  of: undefined,
  piece: new Uint8Array(0),
  bytes: 0,
};
