/**
 * The bytes of a link that wait in buffers: what has come of it while it was not joined, as far as the core has not
 * discarded it, and what is to be sent to its peer. See `byte-queue.ts` for the chains of buffers, `buffers.ts` for
 * the buffers, `receiving-link.ts` for how bytes come.
 */
import { assert } from '../../core/assert.ts';
import type { BackendSlot, LinkEnd, ListenerSlot } from '../../core/contract.ts';
import type { DriverHost } from '../driver.ts';
import * as relay from '../relay.ts';
import { heldBytesMax } from '../shared.ts';
import type { ByteQueue, ByteQueues } from './byte-queue.ts';
import { Inspection } from './inspection.ts';
import { firstLinkMark, RingSocket, type RingSocketContext, sending, streams } from './ring-socket.ts';
import type { TlsChannel } from './tls-channel.ts';

export interface BufferedLinkContext extends RingSocketContext {
  readonly queues: ByteQueues;
  /** When the completions at hand were taken. */
  readonly turnMs: number;
  readonly host: Pick<DriverHost, 'countBytes'>;
  /**
   * By a link's number, when its last byte came, or the connection: a time takes 8 bytes here, 24 as the link's field.
   */
  readonly cameMs: number[];
}

/** It was dialed, and is joined. */
export const isBackend = firstLinkMark;
/** It was refused what the core asked for: only to close it is left. */
export const refused = firstLinkMark << 1;
export const firstReceivingMark = firstLinkMark << 2;
const notHeld = refused | relay.dialing | relay.discarding | relay.closing;

/**
 * Bytes of a stream that may wait in small buffers. Receives that go on end after as many: without a limit a fast
 * sender fills all the buffers there are before anybody looks at what has come. One link was seen to take 14 MB in a
 * turn.
 */
export const streamBytesMax = 64 * 1024;

export abstract class BufferedLink extends RingSocket {
  listener: ListenerSlot = 0;
  /** Known once it is joined. */
  backend: BackendSlot = 0;
  /** What was sent to its peer and came from its partner. */
  sentBytes = 0;
  /** What is to be sent to its peer; undefined where nothing is. */
  protected queue: ByteQueue | undefined;
  /** What has come of it while it was not joined, plain; undefined where that is nothing. */
  protected held: ByteQueue | undefined;
  /** Its TLS; undefined where it speaks plainly. */
  protected secure: TlsChannel | undefined;
  #inspection: Inspection | undefined;

  protected abstract override readonly context: BufferedLinkContext;
  abstract end: LinkEnd | undefined;
  abstract partner: BufferedLink | undefined;

  protected get cameMs(): number {
    return this.context.cameMs[this.id] ?? 0;
  }

  protected set cameMs(nowMs: number) {
    this.context.cameMs[this.id] = nowMs;
  }

  get lastByteMs(): number {
    const { partner } = this;
    return partner === undefined ? this.cameMs : Math.max(this.cameMs, partner.cameMs);
  }

  get waitingBytes(): number {
    return this.heldBytes + this.queuedBytes;
  }

  // What is held of it.

  /** Whether it is one of the links that the commands `inspect` to `join` are for. */
  protected get isHeld(): boolean {
    if (this.partner !== undefined || this.end !== undefined || this.is(notHeld)) return false;
    return this.secure === undefined || this.secure.isEstablished;
  }

  protected get heldBytes(): number {
    return this.held?.bytes ?? 0;
  }

  get mayHold(): boolean {
    if (this.is(refused)) return false;
    if (this.secure?.isEstablished === false) return this.secure.incomingBytes < heldBytesMax;
    return this.held === undefined || (this.held.bytes < heldBytesMax && !this.context.buffers.areScarce);
  }

  /** It is read no further for want of buffers alone. */
  protected get holdsLessThanItMay(): boolean {
    return this.isHeld && this.held !== undefined && this.held.bytes < heldBytesMax;
  }

  protected hold(chunk: number, length: number): void {
    this.held ??= this.context.queues.take();
    this.held.hold(chunk, length, this.context.buffers);
  }

  protected discardHeld(bytes: number): void {
    if (this.held === undefined) return;
    this.held.discard(bytes, this.context.buffers);
    this.#inspection?.discarded();
    if (this.held.isEmpty) this.held = this.emptied(this.held);
  }

  /** The core wants to see what is held once that is more than `beyond`. Returns whether it is so already. */
  protected ask(beyond: number): boolean {
    this.#inspection ??= new Inspection();
    this.#inspection.ask(beyond);
    return this.heldBytes > beyond;
  }

  protected withdrawQuestion(): void {
    this.#inspection = undefined;
  }

  /** What the core has asked for, once it is there. */
  protected answer(): Uint8Array | undefined {
    return this.held && this.#inspection?.answer(this.held, this.context.buffers);
  }

  // What is to be sent to its peer.

  get isSending(): boolean {
    return this.queue !== undefined || this.secure?.sealed !== undefined;
  }

  /** Of its partner's bytes. */
  protected get queuedBytes(): number {
    return (this.queue?.bytes ?? 0) + (this.secure?.plainBytes ?? 0);
  }

  /** One large chunk of a stream may wait, or a few small ones: never as much as its sender would send at once. */
  get hasRoom(): boolean {
    const chunks = (this.queue?.count ?? 0) + (this.secure?.sealed?.count ?? 0);
    if (chunks === 0) return true;
    if (chunks >= this.context.buffers.share) return false;
    return this.partner?.is(streams) !== true || this.queuedBytes < streamBytesMax;
  }

  /** What is held of the other is to be sent to its peer, uncopied. */
  protected queueHeldOf(other: BufferedLink): void {
    this.queue = other.held;
    other.held = undefined;
    other.#inspection = undefined;
    other.cameMs = this.context.turnMs;
  }

  protected enqueue(chunk: number, length: number): void {
    this.queue ??= this.context.queues.take();
    this.queue.append(chunk, length, this.context.buffers);
    if (!this.is(sending)) this.sendQueue();
  }

  protected sendQueue(): void {
    if (this.is(sending | relay.closing)) return;
    if (this.secure !== undefined) return this.sendSealed(this.secure);
    const { queue } = this;
    if (queue !== undefined) this.sendFirst(queue, this.is(relay.finDue) && queue.count === 1);
  }

  private sendSealed(secure: TlsChannel): void {
    const { queue } = this;
    if (secure.sealed === undefined && queue !== undefined && secure.isEstablished) {
      const isSealed = secure.seal(queue, this.sentBytes);
      if (queue.isEmpty) this.queue = this.emptied(queue);
      if (!isSealed) return this.sealingFailed();
      if (this.queue === undefined && this.is(relay.finDue)) secure.finishInFirst();
    }
    const { sealed } = secure;
    if (sealed === undefined) return;
    this.sendFirst(sealed, sealed.count === 1 && (secure.isFinished || secure.mayFirstWait));
  }

  /** Its peer can be told nothing any more. */
  protected abstract sealingFailed(): void;

  /** A send has completed. Returns whether its bytes were taken; otherwise its peer takes no more. */
  protected dropSent(result: number): boolean {
    const { secure } = this;
    const { buffers } = this.context;
    const queue = secure === undefined ? this.queue : secure.sealed;
    assert(queue !== undefined, 'What is being sent stays in its queue');
    this.clear(sending);
    const length = buffers.lengths[queue.first] ?? 0;
    if (secure !== undefined) {
      const plainBytes = secure.dropSent();
      if (result === length && plainBytes > 0) this.countSent(plainBytes);
      return result === length;
    }
    queue.drop(buffers);
    if (queue.isEmpty) this.queue = this.emptied(queue);
    if (result > 0) this.countSent(result);
    return result === length;
  }

  private countSent(bytes: number): void {
    this.sentBytes += bytes;
    const { host } = this.context;
    if (this.is(isBackend)) host.countBytes(this.listener, this.backend, bytes, 0);
    else host.countBytes(this.listener, this.backend, 0, bytes);
  }

  finFollows(): void {
    const { secure, queue } = this;
    if (secure === undefined) {
      if (queue?.count === 1) this.finFollowsSend(queue);
    } else if (queue === undefined && secure.isEstablished && this.isSendPending) {
      secure.finishInFirst();
      if (secure.isFinished && secure.sealed !== undefined) this.finFollowsSend(secure.sealed);
    }
  }

  dropQueue(): void {
    this.queue = this.emptied(this.queue);
    this.secure?.dropSealed();
  }

  protected dropAll(): void {
    this.dropQueue();
    this.secure?.free();
    this.secure = undefined;
    this.held = this.emptied(this.held);
    this.#inspection = undefined;
  }

  protected emptied(queue: ByteQueue | undefined): undefined {
    if (queue === undefined) return;
    queue.clear(this.context.buffers);
    this.context.queues.giveBack(queue);
  }
}
