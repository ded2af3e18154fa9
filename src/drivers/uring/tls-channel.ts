/**
 * The TLS of one link, between its buffers and its peer. Cipher text is opened and plain bytes are sealed in the memory
 * where they lie, so that neither direction needs more buffers than it would without TLS:
 *
 *     incoming ──▶ step (a handshake takes its turn: `handshake-turns.ts`) ──▶ sealed ──▶ the peer
 *     incoming ──▶ open ──▶ opened ──▶ the link's partner
 *     the link's queue ──▶ seal, one chunk at a time ──▶ sealed ──▶ the peer
 *
 * A record of which a part has come lies in OpenSSL: 16 KiB at most for each link, and nothing while the peer is silent
 * between records.
 */
import { assert } from '../../core/assert.ts';
import { closeNotified, closeNotifyBytes, failed, type TlsConnection } from '../tls/openssl/connection.ts';
import { type Buffers, bytesOf, type Chunk, isLarge, smallBytes } from './buffers.ts';
import type { ByteQueue, ByteQueues } from './byte-queue.ts';

export class TlsChannel {
  readonly tls: TlsConnection;
  isEstablished = false;
  /** What was opened last: close_notify, or what was sealed by nobody who has the key. Nothing is opened behind it. */
  ending: 'none' | 'notified' | 'broken' = 'none';
  /** Its link is one of those whose handshakes take turns. */
  hasTurn = false;
  /** FIN came, behind what is incoming. */
  finCame = false;
  /** close_notify was said: nothing is sealed any more. */
  isFinished = false;
  /** The first sealed chunk may wait for what follows it. */
  mayFirstWait = false;
  readonly #buffers: Buffers;
  readonly #queues: ByteQueues;
  /** Cipher text that waits to be looked at. */
  #incoming: ByteQueue | undefined;
  /** Plain bytes that the link takes once no call of OpenSSL's is under way: it may end with what they bring about. */
  #opened: ByteQueue | undefined;
  #sealed: ByteQueue | undefined;
  /** How many of the partner's bytes are in the first sealed chunk. */
  #plainBytes = 0;
  #hasPartialRecord = false;
  #sealsLong = false;

  constructor(tls: TlsConnection, buffers: Buffers, queues: ByteQueues) {
    this.tls = tls;
    this.#buffers = buffers;
    this.#queues = queues;
  }

  // From the peer.

  get incomingBytes(): number {
    return this.#incoming?.bytes ?? 0;
  }

  keep(chunk: Chunk, length: number): void {
    this.#incoming = this.#with(this.#incoming, chunk, length);
  }

  /** The link held this as plain bytes, before it was to be secured. */
  keepAll(held: ByteQueue | undefined): void {
    this.#incoming = held;
  }

  /** Goes on with the handshake, with all that has come. Returns whether it is done; it may have failed besides. */
  step(): boolean {
    const { tls } = this;
    let isDone = this.#incoming === undefined && tls.handshake();
    while (this.#incoming !== undefined && !isDone && tls.failure === undefined) {
      const chunk = this.#feedFirst(this.#incoming);
      isDone = tls.handshake();
      if (isDone && tls.hasUnread) this.#openFed(chunk);
      else this.#buffers.giveBack(chunk);
    }
    if (!this.#takeOutgoing()) tls.failure ??= 'there is no memory left for the handshake';
    this.isEstablished = isDone && tls.failure === undefined;
    // The first bytes of a peer that has sent none yet may wait in its kernel until the end of its handshake is
    // acknowledged (Nagle's algorithm, RFC 896): by what is sent now, or some 40 ms later.
    const hasSpoken = this.#opened !== undefined || this.#incoming !== undefined;
    this.mayFirstWait =
      this.isEstablished && hasSpoken && this.#sealed?.count === 1 && tls.hasSentAllThatIsWaitedFor;
    return this.isEstablished;
  }

  /** Opens the first chunk that waits. Returns whether there was a buffer for what is in it. */
  open(): boolean {
    if (this.#incoming === undefined || this.ending !== 'none') return true;
    // What is left of a record needs room beside what comes behind it.
    const room = this.#hasPartialRecord ? this.#buffers.borrow(smallBytes) : noChunk;
    if (room === undefined) return false;
    const chunk = this.#feedFirst(this.#incoming);
    if (room !== noChunk) this.#openRecord(room);
    this.#openFed(chunk);
    if (!this.#takeOutgoing()) this.ending = 'broken';
    if (this.ending !== 'none') this.#incoming = this.#emptied(this.#incoming);
    return true;
  }

  /** Gives the next plain chunk that was opened, or `noChunk`; its length is that of the buffer. */
  shiftOpened(): Chunk {
    if (this.#opened === undefined) return noChunk;
    const chunk = this.#opened.shift(this.#buffers);
    if (this.#opened.isEmpty) this.#opened = this.#emptied(this.#opened);
    return chunk;
  }

  #feedFirst(incoming: ByteQueue): Chunk {
    const chunk = incoming.shift(this.#buffers);
    if (incoming.isEmpty) this.#incoming = this.#emptied(incoming);
    this.tls.feed(this.#buffers.bytesAt(chunk), this.#lengthOf(chunk));
    return chunk;
  }

  #openRecord(chunk: Chunk): void {
    const opened = this.tls.open(this.#buffers.addressOf(chunk), bytesOf(chunk));
    if (opened > 0) this.#opened = this.#with(this.#opened, chunk, opened);
    else {
      this.#buffers.giveBack(chunk);
      this.#noteEnding(opened);
    }
  }

  /** All that is left of what was fed, to where it lies. */
  #openFed(chunk: Chunk): void {
    const address = this.#buffers.bytesAt(chunk);
    const room = this.#lengthOf(chunk);
    let length = 0;
    // Where the last record ends with what was fed, there is none, and OpenSSL need not be asked.
    this.#hasPartialRecord = false;
    while (this.ending === 'none') {
      const opened = this.tls.open(address + length, room - length);
      if (opened <= 0) {
        this.#noteEnding(opened);
        this.#hasPartialRecord = this.tls.hasPartialRecord;
        break;
      }
      length += opened;
      // Plain bytes are fewer than those that they came in. Were there more, they would be left for another link.
      if (length === room) this.#break();
      if (!this.tls.hasUnread) break;
    }
    if (length > 0) this.#opened = this.#with(this.#opened, chunk, length);
    else this.#buffers.giveBack(chunk);
  }

  #break(): void {
    this.ending = 'broken';
    this.tls.forgetIncoming();
  }

  #noteEnding(opened: number): void {
    if (opened === closeNotified) this.ending = 'notified';
    else if (opened === failed) this.ending = 'broken';
  }

  // To the peer.

  /** What is to be sent next, and what is being sent: sealed, or out of a handshake. */
  get sealed(): ByteQueue | undefined {
    return this.#sealed;
  }

  get plainBytes(): number {
    return this.#plainBytes;
  }

  /** More waits to be sent than the peer's handshake asks for: it is not read until it takes that. */
  get isClogged(): boolean {
    return (this.#sealed?.count ?? 0) > sealedMax;
  }

  /** Seals the first chunk of a queue, where nothing is sealed. Returns whether it could. */
  seal(queue: ByteQueue, sentBytes: number): boolean {
    const buffers = this.#buffers;
    const length = buffers.lengths[queue.first] ?? 0;
    const chunk = queue.shift(buffers);
    if (!this.#sealsLong && (sentBytes >= shortRecordsUntil || isLarge(chunk))) {
      this.#sealsLong = true;
      this.tls.sealLongRecords();
    }
    const sealedBytes = this.#sealedInPlace(chunk, length);
    if (sealedBytes === 0) {
      buffers.giveBack(chunk);
      return false;
    }
    this.#plainBytes = length;
    buffers.starts[chunk] = 0;
    this.#sealed = this.#with(this.#sealed, chunk, sealedBytes);
    return sealedBytes < bytesOf(chunk) || this.#takeOutgoing();
  }

  /**
   * Into the beginning of the chunk: returns how many bytes, 0 where it could not be. What there is no room for is
   * outgoing.
   */
  #sealedInPlace(chunk: Chunk, length: number): number {
    const { tls } = this;
    const address = this.#buffers.addressOf(chunk);
    const from = this.#buffers.bytesAt(chunk);
    const isWorthIt = length >= copiedBytesMax && tls.sealingBytes(length) <= from - address;
    if (isWorthIt) return tls.sealInPlace(address, from, length);
    return tls.seal(from, length) ? tls.take(address, bytesOf(chunk)) : 0;
  }

  /** Seals bytes of our own. Returns whether it could. */
  sealBytes(bytes: Uint8Array): boolean {
    return this.tls.sealBytes(bytes) && this.#takeOutgoing();
  }

  /** Says close_notify behind what is sealed, if it is not said. */
  finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.tls.finish();
    this.#takeOutgoing();
  }

  /** Says close_notify in the only chunk that is sealed, if there is room for it, so that one send has both. */
  finishInFirst(): void {
    const buffers = this.#buffers;
    if (this.isFinished || this.#sealed?.count !== 1) return;
    const chunk = this.#sealed.first;
    const length = this.#lengthOf(chunk);
    if (length + closeNotifyBytes > bytesOf(chunk)) return;
    this.isFinished = true;
    this.tls.finish();
    const said = this.tls.take(buffers.addressOf(chunk) + length, bytesOf(chunk) - length);
    this.#sealed.lengthenFirst(said, buffers);
  }

  /** The first sealed chunk was sent. Returns how many of the partner's bytes were in it. */
  dropSent(): number {
    const { plainBytes } = this;
    assert(this.#sealed !== undefined, 'What is being sent is sealed');
    this.#plainBytes = 0;
    this.mayFirstWait = false;
    this.#sealed.drop(this.#buffers);
    if (this.#sealed.isEmpty) this.#sealed = this.#emptied(this.#sealed);
    return plainBytes;
  }

  dropSealed(): void {
    this.#plainBytes = 0;
    this.#sealed = this.#emptied(this.#sealed);
  }

  /** What OpenSSL wants to say by itself. Returns whether there were buffers for it. */
  #takeOutgoing(): boolean {
    const { tls } = this;
    for (let left = tls.outgoing; left > 0; left = tls.outgoing) {
      const chunk = this.#buffers.borrow(left);
      if (chunk === undefined) {
        tls.forgetOutgoing();
        return false;
      }
      const length = tls.take(this.#buffers.addressOf(chunk), bytesOf(chunk));
      this.#sealed = this.#with(this.#sealed, chunk, length);
    }
    return true;
  }

  /** Once; no other call follows. */
  free(): void {
    this.dropSealed();
    this.#incoming = this.#emptied(this.#incoming);
    this.#opened = this.#emptied(this.#opened);
    this.tls.free();
  }

  #lengthOf(chunk: Chunk): number {
    return this.#buffers.lengths[chunk] ?? 0;
  }

  #with(queue: ByteQueue | undefined, chunk: Chunk, length: number): ByteQueue {
    const longer = queue ?? this.#queues.take();
    longer.append(chunk, length, this.#buffers);
    return longer;
  }

  #emptied(queue: ByteQueue | undefined): undefined {
    if (queue === undefined) return;
    queue.clear(this.#buffers);
    this.#queues.giveBack(queue);
  }
}

export const noChunk: Chunk = -1;
/** To copy so few bytes costs less than to say where they are to be written. */
const copiedBytesMax = 4 * 1024;
/** A chunk of a handshake's and a few answers. */
const sealedMax = 8;
/**
 * The first bytes of an answer, which go out in short records: after them, the network carries more than a long one at
 * once.
 */
const shortRecordsUntil = 64 * 1024;
