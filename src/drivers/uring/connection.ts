/**
 * One socket of a session and the operations that are under way on it. Its descriptor is closed only once there are
 * none: a number that the system has given to another socket must not be met by an operation meant for this one.
 */
import { type Group, largeGroup, smallGroup } from './buffers.ts';
import type { Outbox } from './outbox.ts';
import type { Session, Surroundings } from './session.ts';

/** What a completion is about: the upper bits of its first word; the lower ones tell whose it is. */
export const operation = { accept: 0, connect: 1, receive: 2, send: 3, cancel: 4, wake: 5 } as const;
export const operationShift = 24;
export const numberMask = (1 << operationShift) - 1;

/** Operations under way, as bits. */
export const connecting = 1;
export const receiving = 2;
export const sending = 4;
export const cancelling = 8;

export class Connection {
  readonly session: Session;
  readonly fd: number;
  /** What is to be sent here. */
  readonly outbox: Outbox;
  /** Where it stands in the table of connections, and which of those that stood there it is. */
  readonly number: number;
  readonly serial: number;
  underWay = 0;
  /** The group that the receive under way takes its buffers from. */
  group: Group = smallGroup;
  /** The receive under way goes on after a completion. */
  receivesMany = false;
  /** It filled its buffers lately, so that it is received with large ones. */
  isStream = false;
  fullBuffers = 0;
  /** Its FIN has come. */
  hasFinished = false;
  /** FIN is to be sent behind what is in the outbox; and was. */
  isToBeFinished = false;
  isFinished = false;
  /** To be closed as soon as nothing is under way. */
  isDoomed = false;
  isCancelled = false;
  /** Its descriptor may be another socket's by now. */
  isClosed = false;
  deliveredBytes = 0;

  constructor(session: Session, fd: number, outbox: Outbox, number: number, serial: number) {
    this.session = session;
    this.fd = fd;
    this.outbox = outbox;
    this.number = number;
    this.serial = serial;
  }

  connect(around: Surroundings, sockaddr: Uint8Array): void {
    this.underWay |= connecting;
    around.ring.connect(this.fd, sockaddr, this.#tag(operation.connect), this.serial);
  }

  /** Receives once, so that no more comes than a buffer's worth, or on and on. */
  receive(around: Surroundings, many: boolean): void {
    this.underWay |= receiving;
    this.receivesMany = many;
    this.group = many ? smallGroup : this.isStream ? largeGroup : around.buffers.singles;
    const low = this.#tag(operation.receive);
    if (many) around.ring.receiveMany(this.fd, this.group, low, this.serial);
    else around.ring.receive(this.fd, this.group, low, this.serial);
  }

  stopReceiving(around: Surroundings): void {
    if ((this.underWay & (receiving | cancelling)) !== receiving) return;
    this.underWay |= cancelling;
    const low = this.#tag(operation.cancel);
    around.ring.cancel(low, this.serial, this.#tag(operation.receive), this.serial);
  }

  /** Sends what is first in the outbox, if nothing is being sent. */
  send(around: Surroundings): void {
    const { outbox } = this;
    if ((this.underWay & sending) !== 0 || outbox.isEmpty || this.isDoomed) return;
    this.underWay |= sending;
    const chunk = outbox.first;
    const address = around.buffers.addressOf(chunk);
    const length = around.buffers.lengths[chunk] ?? 0;
    around.ring.send(this.fd, address, length, this.#tag(operation.send), this.serial);
  }

  /** Closes as soon as nothing is under way, with RST or FIN, and cancels what is. */
  doom(around: Surroundings, how: 'reset' | 'fin'): void {
    if (this.isClosed) return;
    if (how === 'reset') around.sockets.resetAtClose(this.fd);
    if (this.isDoomed) return;
    this.isDoomed = true;
    this.settle(around);
  }

  /** To be called whenever an operation has completed. */
  settle(around: Surroundings): void {
    if (!this.isDoomed || this.isClosed) return;
    if (this.underWay === 0) {
      this.isClosed = true;
      around.closed(this);
    } else if (!this.isCancelled && (this.underWay & cancelling) === 0) {
      this.isCancelled = true;
      this.underWay |= cancelling;
      around.ring.cancelAll(this.fd, this.#tag(operation.cancel), this.serial);
    }
  }

  #tag(kind: number): number {
    return (kind << operationShift) | this.number;
  }
}
