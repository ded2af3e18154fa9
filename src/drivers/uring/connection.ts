/**
 * One socket of a session and the operations that are under way on it. Its descriptor is closed only once there are
 * none: a number that the system has given to another socket must not be met by an operation meant for this one.
 */
import { type Group, largeGroup, reserveGroup, smallBytes, smallGroup } from './buffers.ts';
import type { Outbox } from './outbox.ts';
import type { Session } from './session.ts';
import type { Surroundings } from './surroundings.ts';

/** What a completion is about: the upper bits of its first word; the lower ones tell whose it is. */
export const operation = {
  accept: 0,
  connect: 1,
  receive: 2,
  send: 3,
  cancel: 4,
  wake: 5,
  watch: 6,
} as const;
export const operationShift = 24;
export const numberMask = (1 << operationShift) - 1;

/** Operations under way, as bits of a connection's state. */
export const connecting = 1 << 0;
export const receiving = 1 << 1;
export const sending = 1 << 2;
export const cancelling = 1 << 3;
export const watching = 1 << 15;
const anything = connecting | receiving | sending | cancelling | watching;

/** The receive under way goes on after a completion. */
export const receivesMany = 1 << 4;
/** The group that it takes its buffers from, where that is not the small one; by group. */
const takesLarge = 1 << 5;
const takesReserve = 1 << 14;
const takes: Readonly<Record<Group, number>> = { 0: 0, 1: takesLarge, 2: takesReserve };
/** It filled the last buffer; and so many that it is received with large ones. */
const filledOne = 1 << 6;
export const streams = 1 << 7;
/** Its FIN has come. */
export const hasFinished = 1 << 8;
/** FIN is to be sent behind what is queued for it; and was. */
export const toBeFinished = 1 << 9;
export const finished = 1 << 10;
/** To be closed as soon as nothing is under way. */
export const doomed = 1 << 11;
const cancelled = 1 << 12;
/** Its descriptor may be another socket's by now. */
const closed = 1 << 13;

export class Connection {
  readonly session: Session;
  readonly fd: number;
  /** Where it stands in the table of connections, and which of those that stood there it is. */
  readonly number: number;
  readonly serial: number;
  deliveredBytes = 0;
  /** The ring's number of the last send. */
  #lastSend = 0;
  /** The bits above: as fields of their own they would double what an idle connection takes. */
  #state = 0;

  constructor(session: Session, fd: number, number: number, serial: number) {
    this.session = session;
    this.fd = fd;
    this.number = number;
    this.serial = serial;
  }

  /** Whether any of these bits is set. */
  is(bits: number): boolean {
    return (this.#state & bits) !== 0;
  }

  set(bits: number): void {
    this.#state |= bits;
  }

  clear(bits: number): void {
    this.#state &= ~bits;
  }

  /** The group that the receive under way takes its buffers from. */
  get group(): Group {
    if (this.is(takesLarge)) return largeGroup;
    return this.is(takesReserve) ? reserveGroup : smallGroup;
  }

  connect(around: Surroundings, sockaddr: Uint8Array): void {
    this.set(connecting);
    around.ring.connect(this.fd, sockaddr, this.#tag(operation.connect), this.serial);
  }

  /** Receives once, so that no more comes than a buffer's worth, or on and on. */
  receive(around: Surroundings, many: boolean): void {
    const group = many ? smallGroup : this.is(streams) ? largeGroup : around.buffers.singles;
    this.clear(receivesMany | takesLarge | takesReserve);
    this.set(receiving | (many ? receivesMany : 0) | takes[group]);
    const low = this.#tag(operation.receive);
    if (many) around.ring.receiveMany(this.fd, group, low, this.serial);
    else around.ring.receive(this.fd, group, low, this.serial);
  }

  /** Has a reset noticed while nothing is received. What was begun goes on until it completes. */
  watch(around: Surroundings): void {
    if (this.is(watching)) return;
    this.set(watching);
    around.ring.waitUntilBroken(this.fd, this.#tag(operation.watch), this.serial);
  }

  /** A direction that fills two buffers in a row is a stream. */
  judgePace(length: number): void {
    if (this.group === largeGroup) {
      if (length < streamBytesMin) this.clear(streams);
    } else if (length < smallBytes) this.clear(filledOne);
    else this.set(this.is(filledOne) ? streams : filledOne);
  }

  stopReceiving(around: Surroundings): void {
    if (!this.is(receiving) || this.is(cancelling)) return;
    this.set(cancelling);
    const low = this.#tag(operation.cancel);
    around.ring.cancel(low, this.serial, this.#tag(operation.receive), this.serial);
  }

  /** Sends what is first in its outbox, if nothing is being sent. */
  send(around: Surroundings, outbox: Outbox): void {
    if (this.is(sending | doomed)) return;
    this.set(sending);
    const chunk = outbox.first;
    const address = around.buffers.addressOf(chunk) + (around.buffers.starts[chunk] ?? 0);
    const length = around.buffers.lengths[chunk] ?? 0;
    this.#lastSend = around.ring.send(this.fd, address, length, this.#tag(operation.send), this.serial);
  }

  /** What is being sent is the last, and FIN goes with it. */
  finFollows(around: Surroundings): void {
    if (this.is(sending)) around.ring.finFollows(this.#lastSend);
  }

  /** Closes as soon as nothing is under way, with RST or FIN, and cancels what is. */
  doom(around: Surroundings, how: 'reset' | 'fin'): void {
    if (this.is(closed)) return;
    if (how === 'reset') around.sockets.resetAtClose(this.fd);
    if (this.is(doomed)) return;
    this.set(doomed);
    this.settle(around);
  }

  /** To be called whenever an operation has completed. */
  settle(around: Surroundings): void {
    if (!this.is(doomed) || this.is(closed)) return;
    if (!this.is(anything)) {
      this.set(closed);
      around.closed(this);
    } else if (!this.is(cancelled | cancelling)) {
      this.set(cancelled | cancelling);
      around.ring.cancelAll(this.fd, this.#tag(operation.cancel), this.serial);
    }
  }

  #tag(kind: number): number {
    return (kind << operationShift) | this.number;
  }
}

/** A stream that brings less than this at a time is one no more. */
const streamBytesMin = 8 * 1024;
