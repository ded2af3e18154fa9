/**
 * One direction of a relaying session: what is read from the source goes to the sink. Of the plain one, at most
 * one chunk is being written at a time; while the sink's kernel doesn't take it, the source is not read. So a flow
 * holds no more than one read's worth of bytes, whatever its peers do.
 */
import type { Socket } from 'node:net';
import type { ReadBuffers } from './read-buffers.ts';

export interface Flow {
  /** Bytes that the sink's kernel took, in whole writes. */
  readonly deliveredBytes: number;
  /** Takes the bytes just read. False: stop reading; the flow resumes its source when it can take more. */
  carry(length: number, buffer: Uint8Array): boolean;
  /**
   * Writes bytes that stay as they are until they are delivered. False as for `carry`. `bytes` of them came from
   * the source; the others are not counted.
   */
  send(chunk: Uint8Array, bytes?: number): boolean;
  /** The session is over. */
  end(): void;
}

export class PlainFlow implements Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #buffers: ReadBuffers;
  readonly #count: (bytes: number) => void;
  #large: Buffer | undefined;
  #isWriting = false;
  #writingBytes = 0;
  #deliveredBytes = 0;

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
    if (buffer === this.#buffers.shared) return this.#carryCopy(length);
    const goesOn = this.send(length === buffer.length ? buffer : buffer.subarray(0, length));
    if (buffer === this.#large) {
      if (length === buffer.length) this.#buffers.readNextInto(this.#large);
      else this.#shrink();
    }
    return goesOn;
  }

  #carryCopy(length: number): boolean {
    const goesOn = this.send(this.#buffers.copy(length));
    if (!goesOn) this.#buffers.keepCopy(length);
    if (length === this.#buffers.shared.length) {
      this.#large = this.#buffers.borrow();
      this.#buffers.readNextInto(this.#large);
    }
    return goesOn;
  }

  send(chunk: Uint8Array, bytes = chunk.length): boolean {
    const sink = this.#sink;
    sink.write(chunk);
    if (sink.writableLength === 0) {
      if (sink.errored === null) this.#delivered(bytes);
      return true;
    }
    this.#isWriting = true;
    this.#writingBytes = bytes;
    // Only now is a callback worth its price. An empty write behind the one under way completes right after it.
    sink.write(nothing, (error) => this.#written(error));
    return false;
  }

  #written(error: Error | null | undefined): void {
    if (error) return;
    this.#isWriting = false;
    this.#delivered(this.#writingBytes);
    if (!this.#source.readableEnded) this.#source.resume();
  }

  #delivered(bytes: number): void {
    this.#deliveredBytes += bytes;
    this.#count(bytes);
  }

  /** Gives the large buffer back, unless a write under way still refers to it. */
  #shrink(): void {
    if (this.#large !== undefined && !this.#isWriting) this.#buffers.giveBack(this.#large);
    this.#large = undefined;
  }

  end(): void {
    this.#shrink();
  }
}

const nothing = Buffer.alloc(0);
