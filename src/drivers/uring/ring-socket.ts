/**
 * A link's descriptor and the operations that are under way on it. It is closed only once there are none: a number
 * that the system has given to another socket must not be met by an operation meant for this one.
 *
 * Methods of a link are `private` and not `#`: each class with a `#` method adds a hidden field to its objects, which
 * makes 64 bytes for a connection here, of some 1,000.
 */
import type { CloseHow, LinkId } from '../../core/contract.ts';
import { closing, firstDriverMark } from '../relay.ts';
import {
  type Buffers,
  type Group,
  largeGroup,
  reserveGroup,
  smallGroup,
  smallReceivedBytes,
} from './buffers.ts';
import type { ByteQueue } from './byte-queue.ts';
import { operation, operationShift } from './operations.ts';
import type { Ring } from './ring.ts';
import type { Sockets } from './sockets.ts';

export interface RingSocketContext {
  readonly ring: Ring;
  readonly buffers: Buffers;
  readonly sockets: Sockets;
}

/** The link's number is somebody's. */
export const inUse = firstDriverMark;
/** Operations under way. */
export const connecting = firstDriverMark << 1;
export const receiving = firstDriverMark << 2;
export const sending = firstDriverMark << 3;
export const cancelling = firstDriverMark << 4;
export const watching = firstDriverMark << 5;
const anything = connecting | receiving | sending | cancelling | watching;

/** The receive under way goes on after a completion. */
const receivesMany = firstDriverMark << 6;
/** The group that it takes its buffers from, where that is not the small one. */
const takesLarge = firstDriverMark << 7;
const takesReserve = firstDriverMark << 8;
const takes: Readonly<Record<Group, number>> = { 0: 0, 1: takesLarge, 2: takesReserve };
/** It filled the last buffer; and those before, so that it is received with large ones where there are some. */
const filledOne = firstDriverMark << 9;
export const streams = firstDriverMark << 10;
/** All its operations are being cancelled, as it is to be closed; with RST. */
const cancelled = firstDriverMark << 11;
const resetsAtClose = firstDriverMark << 12;
export const isUnix = firstDriverMark << 13;
export const firstLinkMark = firstDriverMark << 14;

export abstract class RingSocket {
  readonly id: LinkId;
  /** Which of those that have had the number this is. */
  serial = 0;
  /**
   * Bits, also of `relay.ts` and of a link's other layers: as fields of their own they would double what an idle link
   * takes.
   */
  marks = 0;
  fd = -1;
  /** The ring's number of the last send. */
  #lastSend = 0;

  constructor(id: LinkId) {
    this.id = id;
  }

  protected abstract readonly context: RingSocketContext;
  /** Nothing is under way any more. */
  protected abstract close(): void;

  /** Whether any of these marks is set. */
  is(bits: number): boolean {
    return (this.marks & bits) !== 0;
  }

  protected clear(bits: number): void {
    this.marks &= ~bits;
  }

  /** The group that the receive under way takes its buffers from. */
  protected get group(): Group {
    if (this.is(takesLarge)) return largeGroup;
    return this.is(takesReserve) ? reserveGroup : smallGroup;
  }

  protected connectTo(sockaddr: Uint8Array): void {
    this.marks |= connecting;
    this.context.ring.connect(this.fd, sockaddr, this.tag(operation.connect), this.serial);
  }

  /** Receives again and again, each time into a small buffer, until so many bytes have come. */
  protected receiveMany(mostBytes: number): void {
    this.clear(takesLarge | takesReserve);
    this.marks |= receiving | receivesMany;
    this.context.ring.receiveMany(this.fd, smallGroup, mostBytes, this.tag(operation.receive), this.serial);
  }

  /** Receives once, so that no more comes than a buffer's worth. */
  protected receiveOnce(group: Group): void {
    this.clear(receivesMany | takesLarge | takesReserve);
    this.marks |= receiving | takes[group];
    this.context.ring.receive(this.fd, group, this.tag(operation.receive), this.serial);
  }

  protected stopReceivingMany(): void {
    if (!this.is(receiving) || !this.is(receivesMany) || this.is(cancelling)) return;
    this.marks |= cancelling;
    this.context.ring.cancel(
      this.tag(operation.cancel),
      this.serial,
      this.tag(operation.receive),
      this.serial,
    );
  }

  /**
   * A link that fills two buffers in a row is a stream, until a receive by itself brings little: where many come in one
   * go, the last of them says nothing.
   */
  protected judgePace(length: number): void {
    if (length >= smallReceivedBytes) this.marks |= this.is(filledOne) ? streams : filledOne;
    else if (this.is(receivesMany)) this.clear(filledOne);
    else if (length < streamBytesMin) this.clear(filledOne | streams);
  }

  /** Has it noticed that the peer leaves while nothing is received: RST in any case, and these events. */
  protected watch(events: number): void {
    if (this.is(watching)) return;
    this.marks |= watching;
    this.context.ring.waitUntilBroken(this.fd, events, this.tag(operation.watch), this.serial);
  }

  /**
   * Sends what is first in the queue. Nothing may be under way. FIN, or something else, follows soon where that is
   * said.
   */
  protected sendFirst(queue: ByteQueue, isFollowed: boolean): void {
    const { buffers, ring } = this.context;
    this.marks |= sending;
    const chunk = queue.first;
    const address = buffers.bytesAt(chunk);
    const length = buffers.lengths[chunk] ?? 0;
    this.#lastSend = ring.send(this.fd, address, length, isFollowed, this.tag(operation.send), this.serial);
  }

  /** The kernel has not been given what is being sent: something may still be put behind it. */
  protected get isSendPending(): boolean {
    return this.is(sending) && this.context.ring.isPending(this.#lastSend);
  }

  /** What is being sent, the first in the queue, is the last, and FIN goes with it. It may have become longer. */
  protected finFollowsSend(queue: ByteQueue): void {
    const { buffers, ring } = this.context;
    if (this.isSendPending) ring.finFollows(this.#lastSend, buffers.lengths[queue.first] ?? 0);
  }

  /** Closes once nothing is under way, with RST or FIN, and cancels what is. A later 'reset' overrules 'fin'. */
  closeWhenIdle(how: CloseHow): void {
    if (this.fd < 0) return;
    if (how === 'reset' && !this.is(resetsAtClose)) {
      this.marks |= resetsAtClose;
      this.context.sockets.resetAtClose(this.fd);
    }
    if (this.is(closing)) return;
    this.marks |= closing;
    this.closeIfIdle();
  }

  /** To be called whenever an operation has completed on a link that is closing. */
  protected closeIfIdle(): void {
    if (this.fd < 0) return;
    if (!this.is(anything)) return this.close();
    if (this.is(cancelled | cancelling)) return;
    this.marks |= cancelled | cancelling;
    this.context.ring.cancelAll(this.fd, this.tag(operation.cancel), this.serial);
  }

  private tag(kind: number): number {
    return (kind << operationShift) | this.id;
  }
}

/** A stream that brings less than this at a time is one no more. */
const streamBytesMin = 8 * 1024;
