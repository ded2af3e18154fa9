/**
 * A connection over a `net.Socket`, or with TLS over the one that takes its place. What FIN, RST, close and
 * back-pressure mean is in `../relay.ts`; here is how a socket of Node does it.
 *
 * Of what a plain peer is sent, at most one chunk is being written at a time; while its kernel doesn't take that, its
 * partner is not read. So a link holds no more than one read's worth of bytes, whatever its peer does. Node never
 * tells at once that a write through TLS is done, so there several may be under way, up to a bound.
 */
import type { Socket } from 'node:net';
import type {
  Address,
  BackendSlot,
  LinkEnd,
  LinkEvent,
  LinkId,
  ListenerSlot,
  TlsSession,
} from '../../core/contract.ts';
import type { Endpoint } from '../../core/net/endpoint.ts';
import { dialFailure, isExhaustion, isFullQueue } from '../dial-failure.ts';
import type { DriverEvent, DriverHost } from '../driver.ts';
import * as relay from '../relay.ts';
import { closing, dialing, discarding, finReceived, resetSeen, writeBroken } from '../relay.ts';
import { heldBytesMax } from '../shared.ts';
import type { StartTls, TlsEngine, TlsLink } from '../tls/engine.ts';
import type { BufferMemory } from './buffer-memory.ts';
import { freeMemory } from './freeable-buffer.ts';
import { HeldBytes } from './held-bytes.ts';
import type { ReadBuffers } from './read-buffers.ts';
import {
  connect,
  destroy,
  disown,
  isFinishing,
  localEndpoint,
  own,
  type Read,
  readByEvent,
  type SocketOwner,
  type WriteDone,
} from './sockets.ts';

/** What a link needs of its driver. */
export interface LinkContext extends Pick<DriverHost, 'now' | 'countBytes'> {
  readonly buffers: ReadBuffers;
  readonly memory: BufferMemory;
  readonly tls: TlsEngine<Socket>;
  emit(event: DriverEvent): void;
  /** The system has said so. */
  outOfDescriptors(): void;
  /** The link is closed, and this its last event: then its number is free. */
  closed(link: Link, last: LinkEvent): void;
}

/** A dial that is not done. */
interface Dial {
  readonly address: Address;
  /** How long to wait before the next try. */
  waitMs: number;
  timer?: NodeJS.Timeout;
}

type ConnectFailed = Extract<LinkEvent, { readonly kind: 'connect-failed' }>;

/** Marks of this driver. A handshake is under way; it has failed. */
const securing = relay.firstDriverMark;
const refused = relay.firstDriverMark << 1;
/** Not reading. */
const paused = relay.firstDriverMark << 2;
/** A write of ours completes later. */
const writing = relay.firstDriverMark << 3;
const failureTold = relay.firstDriverMark << 4;
/** RST goes out once `finish` was told. */
const resetAfterFin = relay.firstDriverMark << 5;

export class Link implements relay.Link<Link>, SocketOwner, TlsLink {
  readonly id: LinkId;
  marks = 0;
  end: LinkEnd | undefined;
  partner: Link | undefined;
  lastByteMs: number;
  /** Of its partner's bytes, those that its kernel took in whole writes. */
  sentBytes = 0;
  readonly #context: LinkContext;
  /** Whose bytes are counted: that of the client's link, and the backend, once joined. */
  #listener: ListenerSlot;
  #backend: BackendSlot = 0;
  #held = noBytes;
  #socket: Socket | undefined;
  /** What TLS is spoken over. */
  #transport: Socket | undefined;
  #openSockets = 0;
  /** What the core has seen of the held bytes; without a question, more than there can be. */
  #beyond = Number.POSITIVE_INFINITY;
  /** Of its partner, to be sent to its peer. */
  #queuedBytes = 0;
  #writableBytesMax = 0;
  #writeDone: WriteDone | undefined;
  #wrote: WriteDone | undefined;
  /** What its stream is read into. */
  #large: Buffer | undefined;
  /** Its partner reads no stream any more, and the last of it is still being written. */
  #lastLarge: Buffer | undefined;
  /** What its partner held before they were joined, and is still being written. */
  #firstBytes: Buffer | undefined;
  #bytesInMemory = 0;
  #dial: Dial | undefined;
  #dialFailure: ConnectFailed | undefined;

  constructor(id: LinkId, listener: ListenerSlot, context: LinkContext) {
    this.id = id;
    this.#listener = listener;
    this.#context = context;
    this.lastByteMs = context.now();
  }

  #is(bits: number): boolean {
    return (this.marks & bits) !== 0;
  }

  /** Takes the accepted socket, whose bytes go to `received`. */
  accepted(socket: Socket): void {
    this.#socket = socket;
    this.#openSockets++;
    own(socket, this);
  }

  connect(address: Address): void {
    this.marks |= dialing;
    this.#dial = { address, waitMs: firstWaitMs };
    this.#connectOnce(address);
  }

  #connectOnce(address: Address): void {
    this.#openSockets++;
    this.#socket = connect(address, this.#context.buffers, this.received, this);
  }

  connected(): void {
    if (!this.#is(dialing) || this.#is(closing)) return;
    this.marks &= ~dialing;
    this.#dial = undefined;
    // The socket is read from right after this, unless the answer has paused it.
    this.#context.emit({ kind: 'connected', link: this.id });
  }

  get localEndpoint(): Endpoint | undefined {
    const socket = this.#transport ?? this.#socket;
    return socket && localEndpoint(socket);
  }

  /** Held of it, or queued for its peer. */
  get waitingBytes(): number {
    return this.#held.length + (this.#socket?.writableLength ?? 0);
  }

  /** Answers later, outside of the command that asks. */
  inspect(beyond: number): void {
    this.#beyond = beyond;
    if (this.#held.length > beyond) process.nextTick(() => this.#answer());
  }

  discard(bytes: number): void {
    this.#held.drop(bytes);
    this.#noteMemory();
    this.read();
  }

  send(bytes: Uint8Array): void {
    this.#withdraw();
    // The bytes are the core's, and the socket keeps them until they are sent.
    this.#write(Buffer.from(bytes), 0);
  }

  joinBackend(backend: Link, slot: BackendSlot, first: Uint8Array | undefined): void {
    this.#withdraw();
    backend.#withdraw();
    backend.#listener = this.#listener;
    this.#backend = slot;
    backend.#backend = slot;
    // A write may fail at once, and what the peer has answered then is its partner's.
    this.partner = backend;
    backend.partner = this;
    this.lastByteMs = this.#context.now();
    backend.lastByteMs = this.lastByteMs;
    const fromClient = this.#takeHeld();
    const fromBackend = backend.#takeHeld();
    const toBackend = first === undefined ? fromClient : Buffer.concat([first, fromClient]);
    if (toBackend.length > 0) backend.#write(toBackend, fromClient.length);
    if (fromBackend.length > 0) this.#write(fromBackend, fromBackend.length);
    backend.#freeOnceWritten(fromClient);
    this.#freeOnceWritten(fromBackend);
    relay.join<Link>(this, backend);
  }

  close(how: 'fin' | 'reset'): void {
    if (this.#is(closing) && how === 'fin') return;
    this.#withdraw();
    // A connection that is not there yet can't finish.
    relay.close<Link>(this, this.#is(dialing) ? 'reset' : how);
  }

  #withdraw(): void {
    this.#beyond = Number.POSITIVE_INFINITY;
  }

  /** Answers the question, if there is one and the bytes to do so. */
  #answer(): void {
    if (this.#held.length <= this.#beyond) return;
    this.#withdraw();
    this.#context.emit({ kind: 'received', link: this.id, bytes: this.#held.view });
  }

  readonly received: Read = (length, buffer) => {
    if (!this.#is(discarding | closing)) {
      const to = this.partner;
      this.lastByteMs = this.#context.now();
      if (to === undefined) this.#hold(length === buffer.length ? buffer : buffer.subarray(0, length));
      else {
        to.lastByteMs = this.lastByteMs;
        if (to.#queuedBytes === 0 && this.id % 2 === 1)
          this.#context.emit({ kind: 'first-byte', link: this.id });
        this.#pass(to, length, buffer);
      }
    }
    const goesOn = relay.mayRead<Link>(this);
    if (goesOn) this.read();
    else this.#notePause();
    return goesOn;
  };

  #hold(bytes: Uint8Array): void {
    if (this.#held === noBytes) this.#held = new HeldBytes();
    this.#held.append(bytes);
    this.#noteMemory();
    this.#answer();
  }

  #takeHeld(): Buffer {
    const held = this.#held.take();
    this.#held = noBytes;
    this.#noteMemory();
    return held;
  }

  #pass(to: Link, length: number, buffer: Uint8Array): void {
    const { buffers } = this.#context;
    if (buffers.isShared(buffer)) {
      to.#write(buffers.copy(length), length);
      if (to.isSending) buffers.keepCopy(length);
      if (length < buffers.shared.length || to.#transport !== undefined) return;
      this.#large = buffers.borrow();
      if (this.#large !== undefined) buffers.readNextInto(this.#large);
      return;
    }
    to.#write(length === buffer.length ? buffer : buffer.subarray(0, length), length);
    if (buffer !== this.#large) return;
    if (length === buffer.length) buffers.readNextInto(this.#large);
    else this.#returnLarge();
  }

  /** Gives the large buffer back, once no write under way refers to it. */
  #returnLarge(): void {
    const { partner } = this;
    if (this.#large === undefined) return;
    if (partner?.isSending) partner.#lastLarge = this.#large;
    else this.#context.buffers.giveBack(this.#large);
    this.#large = undefined;
  }

  #freeOnceWritten(bytes: Buffer): void {
    if (this.isSending) this.#firstBytes = bytes;
    else freeMemory(bytes);
  }

  /** No write is under way any more. */
  #freeWritten(): void {
    freeMemory(this.#firstBytes);
    this.#firstBytes = undefined;
    if (this.#lastLarge === undefined) return;
    this.#context.buffers.giveBack(this.#lastLarge);
    this.#lastLarge = undefined;
  }

  /** Queues bytes for its peer, which stay as they are until they are sent; `counted` of them came from its partner. */
  #write(bytes: Uint8Array, counted: number): void {
    const socket = this.#socket;
    if (socket === undefined || this.#is(writeBroken | closing)) return;
    this.#queuedBytes += counted;
    socket.write(bytes);
    if (this.#is(writeBroken)) return this.#writeFailed();
    if (socket.writableLength > 0) {
      this.marks |= writing;
      this.#noteMemory();
    } else this.#count(socket);
  }

  beginWrite(done: WriteDone): WriteDone | undefined {
    if (this.#is(writeBroken)) return undefined;
    this.#writeDone = done;
    this.#wrote ??= (error) => this.#writeCompleted(error ?? undefined);
    return this.#wrote;
  }

  #writeCompleted(error: NodeJS.ErrnoException | undefined): void {
    if (error !== undefined) this.marks |= error.code === 'EPIPE' ? writeBroken : writeBroken | resetSeen;
    // The stream is told of no error; what it has queued besides then comes to nothing.
    this.#writeDone?.();
    const socket = this.#socket;
    if (!this.#is(writing) || socket === undefined) return;
    if (socket.writableLength === 0) {
      this.marks &= ~writing;
      this.#freeWritten();
    }
    this.#noteMemory();
    if (this.#is(closing)) return;
    if (error !== undefined) return this.#writeFailed();
    this.#count(socket);
    relay.sent<Link>(this);
  }

  #count(socket: Socket): void {
    const bytes = this.#queuedBytes - socket.writableLength - this.sentBytes;
    if (bytes <= 0) return;
    this.sentBytes += bytes;
    if (this.id % 2 === 0) this.#context.countBytes(this.#listener, this.#backend, 0, bytes);
    else this.#context.countBytes(this.#listener, this.#backend, bytes, 0);
  }

  #writeFailed(): void {
    if (this.#is(failureTold | closing)) return;
    this.marks |= failureTold;
    relay.writeFailed<Link>(this, this.#is(resetSeen));
    // In Node before 26 its reset may have been taken for FIN before.
    if (this.#is(finReceived) && this.#is(resetSeen)) relay.readEnded<Link>(this, 'reset');
  }

  writeEnded(): void {
    if (this.#is(resetAfterFin)) this.#reset();
    else if (!this.#is(closing)) relay.sent<Link>(this);
  }

  readEnded(): void {
    if (this.#is(securing)) return this.#leaveHandshake();
    if (this.#is(closing)) return;
    if (!this.#is(writeBroken) && this.#wasReset()) this.marks |= writeBroken | resetSeen;
    this.#answer();
    if (!relay.readEnded<Link>(this, 'fin')) return;
    this.#context.emit({ kind: 'half-closed', link: this.id, heldBytes: this.#held.length });
  }

  /**
   * Whether what looked like FIN was RST: in Node before 26 libuv takes a reset that comes right behind data for the
   * end of it. A write without a byte brings the truth to light. A unix socket knows no reset, and a write would fail
   * although its peer has done nothing but close.
   */
  #wasReset(): boolean {
    const socket = this.#socket;
    if (socket === undefined || !socket.writable || socket.localPort === undefined) return false;
    (this.#transport ?? socket).write(nothing);
    return this.#is(writeBroken) || (this.#transport !== undefined && this.#transport.errored !== null);
  }

  failed(error: NodeJS.ErrnoException): void {
    if (this.#is(closing)) return;
    if (this.#is(dialing)) return this.#connectFailed(error);
    if (relay.readEnded<Link>(this, 'reset'))
      this.#context.emit({ kind: 'half-closed', link: this.id, heldBytes: this.#held.length });
  }

  #connectFailed(error: NodeJS.ErrnoException): void {
    const { code = 'UNKNOWN' } = error;
    if (this.#dial === undefined || isFullQueue(code, this.#dial.address)) return;
    this.#dial = undefined;
    if (isExhaustion(code)) this.#context.outOfDescriptors();
    this.#dialFailure = { kind: 'connect-failed', link: this.id, why: dialFailure(code), detail: code };
  }

  socketClosed(): void {
    if (--this.#openSockets > 0) return;
    if (this.#is(dialing) && !this.#is(closing) && this.#dial !== undefined)
      return this.#connectAgain(this.#dial);
    if (!this.#is(dialing) && this.end === undefined) relay.readEnded<Link>(this, 'reset');
    this.#closed();
  }

  #connectAgain(dial: Dial): void {
    dial.timer = setTimeout(() => this.#connectOnce(dial.address), dial.waitMs);
    dial.waitMs = Math.min(2 * dial.waitMs, longestWaitMs);
  }

  #closed(): void {
    this.marks |= closing;
    this.#returnLarge();
    this.#freeWritten();
    this.#held.free();
    this.#held = noBytes;
    this.#context.memory.change(-this.#bytesInMemory);
    this.#bytesInMemory = 0;
    relay.closed<Link>(this);
    const { id: link, end = 'finished', sentBytes } = this;
    this.#context.closed(this, this.#dialFailure ?? { kind: 'closed', link, end, sentBytes });
  }

  startTls(command: StartTls): void {
    const transport = this.#socket;
    if (transport === undefined) return;
    this.#withdraw();
    this.marks |= securing;
    if (this.#is(finReceived)) return this.#leaveHandshake();
    const handshake = this.#context.tls.handshake(command);
    if (handshake === undefined) {
      process.nextTick(() => this.tlsFailed('the key or a certificate is none'));
      return;
    }
    if (command.as === 'client' && command.first !== undefined) this.#write(Buffer.from(command.first), 0);
    disown(transport);
    this.#transport = transport;
    this.#socket = handshake.begin(transport, this.#takeHeld(), this);
    this.#openSockets++;
    this.#writableBytesMax = writableBytesMax;
    own(this.#socket, this);
  }

  certificateShown(notAfterMs: number): void {
    if (this.isInHandshake) this.#context.emit({ kind: 'certificate-shown', link: this.id, notAfterMs });
  }

  tlsEstablished(tls: TlsSession): void {
    if (this.#socket === undefined) return;
    this.marks &= ~(securing | paused);
    readByEvent(this.#socket, this.received);
    this.#context.emit({ kind: 'tls-established', link: this.id, tls });
  }

  get isInHandshake(): boolean {
    return this.#is(securing) && !this.#is(closing);
  }

  /** The socket is not closed until that is commanded, and read until FIN comes. */
  tlsFailed(detail: string): void {
    if (!this.isInHandshake) return;
    this.marks = (this.marks & ~securing) | refused;
    if (this.#transport !== undefined) this.#socket?.resume();
    this.#context.emit({ kind: 'tls-failed', link: this.id, detail });
  }

  /** A peer that finishes in its handshake can't be secured any more. */
  #leaveHandshake(): void {
    this.end ??= this.#wasReset() ? 'reset-by-peer' : 'finished';
    this.closeWhenIdle('fin');
  }

  get isSending(): boolean {
    const socket = this.#socket;
    return socket !== undefined && (socket.writableLength > 0 || isFinishing(socket));
  }

  get hasRoom(): boolean {
    return (this.#socket?.writableLength ?? 0) <= this.#writableBytesMax;
  }

  get mayHold(): boolean {
    const { length } = this.#held;
    return length === 0 || (length < heldBytesMax && !this.#context.memory.isScarce);
  }

  read(): void {
    if (!relay.mayRead<Link>(this)) {
      if (!this.#is(paused)) this.#socket?.pause();
      this.#notePause();
    } else if (this.#is(paused)) {
      this.marks &= ~paused;
      this.#socket?.resume();
    }
  }

  #notePause(): void {
    this.marks |= paused;
    if (this.partner === undefined) this.#context.memory.wakeWhenAmple(this);
  }

  sendFin(): void {
    // What follows is closing, which sends FIN too.
    if (this.#transport === undefined && this.#is(finReceived)) return;
    this.#socket?.end();
  }

  finFollows(): void {}

  /** What it has queued comes to nothing by itself once a write has failed. */
  dropQueue(): void {}

  closeWhenIdle(how: 'fin' | 'reset'): void {
    this.marks |= closing;
    const socket = this.#socket;
    clearTimeout(this.#dial?.timer);
    if (socket === undefined || this.#openSockets === 0) process.nextTick(() => this.#closed());
    else if (how === 'fin' || this.#is(dialing)) destroy(socket);
    else this.#reset();
  }

  #reset(): void {
    const socket = this.#socket;
    const transport = this.#transport ?? socket;
    if (socket === undefined || transport === undefined || transport.destroyed) return;
    // libuv refuses to reset while a shutdown(2) is under way, and Node then leaks the descriptor.
    if (isFinishing(socket) && socket.writableLength === 0) this.marks |= resetAfterFin;
    // A unix socket knows no RST: its peer sees the end, or an error as it writes.
    else if (transport.remoteFamily === undefined) destroy(socket);
    else transport.resetAndDestroy();
  }

  #noteMemory(): void {
    const bytes = this.#held.capacity + (this.#socket?.writableLength ?? 0);
    if (bytes === this.#bytesInMemory) return;
    this.#context.memory.change(bytes - this.#bytesInMemory);
    this.#bytesInMemory = bytes;
  }
}

/** Of TLS: one read's worth; the reads that a bulk transfer fills are a little larger. */
const writableBytesMax = 64 * 1024;
/** How long a backend whose queue is full is left alone. */
const firstWaitMs = 1;
const longestWaitMs = 50;

const nothing = Buffer.alloc(0);

/** Of all links that hold none, which are most. */
const noBytes = new HeldBytes();
