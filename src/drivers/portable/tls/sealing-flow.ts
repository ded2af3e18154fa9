/**
 * A flow to a peer that is spoken to in TLS. Node never tells at once that such a write is done, so several may
 * be under way: the source is not read while more than a bound waits.
 */
import type { Socket } from 'node:net';
import type { Flow } from '../flow.ts';
import type { ReadBuffers } from '../read-buffers.ts';

export class SealingFlow implements Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #buffers: ReadBuffers;
  readonly #count: (bytes: number) => void;
  #sentBytes = 0;
  #deliveredBytes = 0;
  #isHeldUp = false;

  constructor(source: Socket, sink: Socket, buffers: ReadBuffers, count: (bytes: number) => void) {
    this.#source = source;
    this.#sink = sink;
    this.#buffers = buffers;
    this.#count = count;
  }

  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  carry(length: number, buffer: Uint8Array): boolean {
    if (buffer !== this.#buffers.shared) return this.send(buffer);
    const copy = this.#buffers.copy(length);
    this.#buffers.keepCopy(length);
    return this.send(copy);
  }

  send(chunk: Uint8Array): boolean {
    this.#sentBytes += chunk.length;
    this.#sink.write(chunk, this.#written);
    this.#isHeldUp = this.#sink.writableLength > waitingBytesMax;
    return !this.#isHeldUp;
  }

  readonly #written = (error: Error | null | undefined): void => {
    if (error) return;
    const waitingBytes = this.#sink.writableLength;
    const bytes = this.#sentBytes - waitingBytes - this.#deliveredBytes;
    this.#deliveredBytes += bytes;
    this.#count(bytes);
    if (!this.#isHeldUp || waitingBytes > waitingBytesMax) return;
    this.#isHeldUp = false;
    if (!this.#source.readableEnded) this.#source.resume();
  };

  end(): void {}
}

/** One read's worth; the reads that a bulk transfer fills are a little larger. */
const waitingBytesMax = 64 * 1024;
