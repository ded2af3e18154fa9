/**
 * What comes from a link's peer: bytes, its end, and its failure. Bytes are held until the link is joined, and go to
 * its partner then; a link that is not to be read is paused.
 */
import type { LinkEnd } from '../../core/contract.ts';
import type { DriverEvent, DriverHost } from '../driver.ts';
import * as relay from '../relay.ts';
import { closing, discarding, resetSeen, writeBroken } from '../relay.ts';
import { heldBytesMax } from '../shared.ts';
import { HeldBytes } from './held-bytes.ts';
import { firstLinkMark, isUnix, LinkSocket, type PortableSocketContext } from './link-socket.ts';
import type { ReadCallback } from './sockets.ts';

export interface ReadingLinkContext extends PortableSocketContext, Pick<DriverHost, 'now'> {
  emit(event: DriverEvent): void;
}

/** Not reading. */
export const paused = firstLinkMark;
export const firstPortableMark = firstLinkMark << 1;

export abstract class ReadingLink extends LinkSocket implements relay.Link<ReadingLink> {
  abstract end: LinkEnd | undefined;
  abstract partner: ReadingLink | undefined;
  lastByteMs = 0;
  protected abstract override readonly context: ReadingLinkContext;
  /** What has come of it while it was not joined; undefined where that is nothing. */
  #held: HeldBytes | undefined;
  /** What the core has seen of the held bytes; without a question, more than there can be. */
  #beyond = Number.POSITIVE_INFINITY;
  /** What its stream is read into. */
  #large: Buffer | undefined;

  // Bytes.

  readonly received: ReadCallback = (length, buffer) => {
    if (!this.is(discarding | closing)) {
      const to = this.partner;
      this.lastByteMs = this.context.now();
      if (to === undefined) this.#hold(length === buffer.length ? buffer : buffer.subarray(0, length));
      else {
        to.lastByteMs = this.lastByteMs;
        if (to.partnerBytes === 0 && this.id % 2 === 1)
          this.context.emit({ kind: 'first-byte', link: this.id });
        this.#pass(to, length, buffer);
      }
    }
    const goesOn = relay.mayRead<ReadingLink>(this);
    if (goesOn) this.read();
    else this.#notePause();
    return goesOn;
  };

  #hold(bytes: Uint8Array): void {
    this.#held ??= new HeldBytes(this.context.memory);
    this.#held.append(bytes);
    this.#answer();
  }

  /** Answers the question, if there is one and the bytes to do so. */
  #answer(): void {
    if (this.#held === undefined || this.#held.length <= this.#beyond) return;
    this.withdrawQuestion();
    this.context.emit({ kind: 'received', link: this.id, bytes: this.#held.shown });
  }

  protected takeHeld(): Buffer {
    const held = this.#held?.take() ?? nothing;
    this.#held = undefined;
    return held;
  }

  #pass(to: ReadingLink, length: number, buffer: Uint8Array): void {
    const { buffers } = this.context;
    if (buffers.isShared(buffer)) {
      to.write(buffers.copy(length), length);
      if (to.isSending) buffers.keepCopy(length);
      if (length < buffers.shared.length || to.transport !== undefined) return;
      this.#large = buffers.borrow();
      if (this.#large !== undefined) buffers.readNextInto(this.#large);
      return;
    }
    to.write(length === buffer.length ? buffer : buffer.subarray(0, length), length);
    if (buffer !== this.#large) return;
    if (length === buffer.length) buffers.readNextInto(this.#large);
    else this.#returnLarge();
  }

  #returnLarge(): void {
    const large = this.#large;
    if (large === undefined) return;
    this.#large = undefined;
    if (this.partner === undefined) this.context.buffers.giveBack(large);
    else this.partner.giveBackOnceWritten(large);
  }

  /** Answers later, outside of the command that asks. */
  inspect(beyond: number): void {
    this.#beyond = beyond;
    if (this.#heldBytes > beyond) process.nextTick(() => this.#answer());
  }

  protected withdrawQuestion(): void {
    this.#beyond = Number.POSITIVE_INFINITY;
  }

  discard(bytes: number): void {
    this.#held?.drop(bytes);
    this.read();
  }

  // Its end.

  readEnded(): void {
    if (this.is(closing)) return;
    if (!this.is(writeBroken) && this.wasReset()) this.marks |= writeBroken | resetSeen;
    this.#answer();
    this.#readEnded('fin');
  }

  #readEnded(how: 'fin' | 'reset'): void {
    if (!relay.readEnded<ReadingLink>(this, how)) return;
    this.context.emit({ kind: 'half-closed', link: this.id, heldBytes: this.#heldBytes });
  }

  protected readFailed(): void {
    if (this.is(isUnix)) this.#closedUnread();
    else this.#readEnded('reset');
  }

  /** The peer of a unix socket has closed and left bytes unread, and what it has sent was read. */
  #closedUnread(): void {
    this.end ??= 'closed-early';
    relay.writeFailed<ReadingLink>(this, false);
    if (!this.is(closing)) this.#readEnded('fin');
  }

  // Whether it is read.

  get mayHold(): boolean {
    const bytes = this.#heldBytes;
    return bytes === 0 || (bytes < heldBytesMax && !this.context.memory.isScarce);
  }

  read(): void {
    if (!relay.mayRead<ReadingLink>(this)) {
      if (!this.is(paused)) this.socket?.pause();
      this.#notePause();
    } else if (this.is(paused)) {
      this.marks &= ~paused;
      this.socket?.resume();
    }
  }

  #notePause(): void {
    this.marks |= paused;
    if (this.partner === undefined) this.context.memory.wakeWhenAmple(this);
  }

  /** Nothing comes any more, and what has come is thrown away. */
  protected dropRead(): void {
    this.#returnLarge();
    this.#held?.free();
    this.#held = undefined;
  }

  /** Held of it, or queued for its peer. */
  get waitingBytes(): number {
    return this.#heldBytes + this.queuedBytes;
  }

  get #heldBytes(): number {
    return this.#held?.length ?? 0;
  }
}

const nothing = Buffer.alloc(0);
