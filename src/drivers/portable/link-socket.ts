/**
 * A link's socket, what is being written to its peer, and how it is closed. What comes from the peer is in
 * `reading-link.ts`.
 *
 * To a plain peer at most one chunk is being written at a time; while its kernel doesn't take that, its partner is not
 * read. So a link holds no more than one read's worth of bytes, whatever its peer does. Node never tells at once that a
 * write through TLS is done, so there several may be under way, up to a bound.
 */
import type { Socket } from 'node:net';
import type { CloseHow, LinkId } from '../../core/contract.ts';
import type { Endpoint } from '../../core/net/endpoint.ts';
import { closing, dialing, finReceived, firstDriverMark, resetSeen, writeBroken } from '../relay.ts';
import type { BufferMemory } from './buffer-memory.ts';
import { freeMemory } from './freeable-buffer.ts';
import type { ReadBuffers } from './read-buffers.ts';
import {
  destroy,
  disown,
  isFinishing,
  localEndpoint,
  own,
  type SocketOwner,
  type WriteDone,
} from './sockets.ts';
import { descriptorOf, systemSockets } from './system-sockets.ts';

export interface PortableSocketContext {
  readonly buffers: ReadBuffers;
  readonly memory: BufferMemory;
}

/** A write of ours completes later. */
const writing = firstDriverMark;
const failureTold = firstDriverMark << 1;
/** RST goes out once `finish` was told. */
const resetAfterFin = firstDriverMark << 2;
/** It knows no RST: its peer can only close. */
export const isUnix = firstDriverMark << 3;
export const firstLinkMark = firstDriverMark << 4;

export abstract class LinkSocket implements SocketOwner {
  readonly id: LinkId;
  /** Bits, also of `relay.ts` and `link.ts`. */
  marks = 0;
  /** Bytes of its partner that its kernel took in whole writes. */
  sentBytes = 0;
  protected socket: Socket | undefined;
  /** What TLS is spoken over. */
  protected transport: Socket | undefined;
  #openSockets = 0;
  /** Bytes of its partner that were queued so far for its peer. */
  protected partnerBytes = 0;
  #writableBytesMax = 0;
  #writeDone: WriteDone | undefined;
  #wrote: WriteDone | undefined;
  /** Its partner reads no stream any more, and the last of it is still being written. */
  #lastLarge: Buffer | undefined;
  /** What its partner held before they were joined, and is still being written. */
  #firstBytes: Buffer | undefined;
  #bytesInMemory = 0;

  constructor(id: LinkId) {
    this.id = id;
  }

  protected abstract readonly context: PortableSocketContext;
  abstract connected(): void;
  abstract readEnded(): void;
  abstract failed(error: NodeJS.ErrnoException): void;
  /** None of its sockets is open any more. */
  protected abstract allClosed(): void;
  /** Its kernel has taken so many more of its partner's bytes. */
  protected abstract count(bytes: number): void;
  /** A write or the end has completed. */
  protected abstract sent(): void;
  protected abstract writeFailed(): void;

  /** Whether any of these marks is set. */
  protected is(bits: number): boolean {
    return (this.marks & bits) !== 0;
  }

  /** Goes on with this socket, which is its own already. */
  protected use(socket: Socket): void {
    this.socket = socket;
    this.#openSockets++;
  }

  /** Has TLS take over its socket; what comes of that is used from then on. */
  protected useOver(transport: Socket, begin: () => Socket): void {
    disown(transport);
    this.transport = transport;
    const socket = begin();
    own(socket, this);
    this.use(socket);
    this.#writableBytesMax = writableBytesMax;
  }

  get localEndpoint(): Endpoint | undefined {
    const socket = this.transport ?? this.socket;
    return socket && localEndpoint(socket);
  }

  protected get queuedBytes(): number {
    return this.socket?.writableLength ?? 0;
  }

  get isSending(): boolean {
    const { socket } = this;
    return socket !== undefined && (socket.writableLength > 0 || isFinishing(socket));
  }

  get hasRoom(): boolean {
    return this.queuedBytes <= this.#writableBytesMax;
  }

  /** Queues bytes for its peer, which stay as they are until they are sent; `counted` of them came from its partner. */
  protected write(bytes: Uint8Array, counted: number): void {
    const { socket } = this;
    if (socket === undefined || this.is(writeBroken | closing)) return;
    this.partnerBytes += counted;
    socket.write(bytes);
    if (this.is(writeBroken)) return this.#tellFailure();
    if (socket.writableLength > 0) {
      this.marks |= writing;
      this.#noteMemory();
    } else this.#count(socket);
  }

  beginWrite(done: WriteDone): WriteDone | undefined {
    if (this.is(writeBroken)) return undefined;
    this.#writeDone = done;
    this.#wrote ??= (error) => this.#writeCompleted(error ?? undefined);
    return this.#wrote;
  }

  #writeCompleted(error: NodeJS.ErrnoException | undefined): void {
    if (error !== undefined) this.marks |= this.#isReset(error) ? writeBroken | resetSeen : writeBroken;
    // The stream is told of no error; what it has queued besides then comes to nothing.
    this.#writeDone?.();
    const { socket } = this;
    if (!this.is(writing) || socket === undefined) return;
    if (socket.writableLength === 0) {
      this.marks &= ~writing;
      this.#freeWritten();
    }
    this.#noteMemory();
    if (this.is(closing)) return;
    if (error !== undefined) return this.#tellFailure();
    this.#count(socket);
    this.sent();
  }

  /** By RST, not because the peer has closed (EPIPE). */
  #isReset({ code }: NodeJS.ErrnoException): boolean {
    return code !== 'EPIPE' && !this.is(isUnix);
  }

  #count(socket: Socket): void {
    const bytes = this.partnerBytes - socket.writableLength - this.sentBytes;
    if (bytes <= 0) return;
    this.sentBytes += bytes;
    this.count(bytes);
  }

  #tellFailure(): void {
    if (this.is(failureTold | closing)) return;
    this.marks |= failureTold;
    this.writeFailed();
  }

  /** To be called right after the write of bytes that were held, to which nothing else refers. */
  protected freeOnceWritten(bytes: Buffer): void {
    if (this.isSending) this.#firstBytes = bytes;
    else freeMemory(bytes);
  }

  /** A borrowed buffer, which a write under way may refer to. */
  protected giveBackOnceWritten(large: Buffer): void {
    if (this.isSending) this.#lastLarge = large;
    else this.context.buffers.giveBack(large);
  }

  /** No write is under way any more. */
  #freeWritten(): void {
    freeMemory(this.#firstBytes);
    this.#firstBytes = undefined;
    if (this.#lastLarge === undefined) return;
    this.context.buffers.giveBack(this.#lastLarge);
    this.#lastLarge = undefined;
  }

  sendFin(): void {
    // What follows is closing, which sends FIN too.
    if (this.transport === undefined && this.is(finReceived)) return;
    this.socket?.end();
  }

  finFollows(): void {}

  /** What it has queued comes to nothing by itself once a write has failed. */
  dropQueue(): void {}

  writeEnded(): void {
    if (this.is(resetAfterFin)) this.#reset();
    else if (!this.is(closing)) this.sent();
  }

  /**
   * Whether what looked like FIN was RST: libuv before 1.52 takes a reset that comes right behind data for the end of
   * it. A write without a byte brings the truth to light; behind our FIN none can be made, and the system is asked.
   */
  protected wasReset(): boolean {
    const { socket, transport } = this;
    if (socket === undefined || this.is(isUnix)) return false;
    if (!socket.writable) {
      const fd = descriptorOf(transport ?? socket);
      return fd !== undefined && (systemSockets()?.wasReset(fd) ?? false);
    }
    (transport ?? socket).write(nothing);
    return this.is(writeBroken) || (transport !== undefined && transport.errored !== null);
  }

  closeWhenIdle(how: CloseHow): void {
    this.marks |= closing;
    const { socket } = this;
    if (socket === undefined || this.#openSockets === 0) process.nextTick(() => this.allClosed());
    else if (how === 'fin' || this.is(dialing)) destroy(socket);
    else this.#reset();
  }

  #reset(): void {
    const { socket } = this;
    const transport = this.transport ?? socket;
    if (socket === undefined || transport === undefined || transport.destroyed) return;
    // libuv refuses to reset while a shutdown(2) is under way, and Node then leaks the descriptor.
    if (isFinishing(socket) && socket.writableLength === 0) this.marks |= resetAfterFin;
    // Its peer sees the end, or an error as it writes.
    else if (this.is(isUnix)) destroy(socket);
    else transport.resetAndDestroy();
  }

  socketClosed(): void {
    if (--this.#openSockets === 0) this.allClosed();
  }

  /** Stops writing, and throws away what is queued. */
  protected forgetWrites(): void {
    this.#freeWritten();
    this.context.memory.change(-this.#bytesInMemory);
    this.#bytesInMemory = 0;
  }

  #noteMemory(): void {
    const bytes = this.queuedBytes;
    if (bytes === this.#bytesInMemory) return;
    this.context.memory.change(bytes - this.#bytesInMemory);
    this.#bytesInMemory = bytes;
  }
}

/** With TLS so much may be queued: one read's worth; the reads that a bulk transfer fills are a little larger. */
const writableBytesMax = 64 * 1024;

const nothing = Buffer.alloc(0);
