/**
 * An address that is listened on. One operation accepts connection after connection; out of descriptors it ends,
 * the clients wait in the kernel's queue, and it is begun again once a descriptor was closed or a while has gone by.
 */
import type { Address, ListenerSlot } from '../../core/contract.ts';
import { operation, operationShift } from './connection.ts';
import * as kernel from './kernel.ts';
import type { Ring } from './ring.ts';
import { backlog, type Sockets } from './sockets.ts';

interface Parts {
  readonly ring: Ring;
  readonly sockets: Sockets;
  /** Takes over the descriptor of an accepted connection. */
  accepted(listening: Listening, fd: number): void;
  /** It is to be resumed once a descriptor is free. */
  exhausted(): void;
  /** Nobody waits to be accepted: it is to be closed at once, so that nobody will. */
  left(listening: Listening): void;
}

export class Listening {
  readonly asked: Address;
  readonly bound: Address;
  readonly fd: number;
  /** Where it stands in the table of what is listened on. */
  readonly number: number;
  listener: ListenerSlot;
  isAccepting = false;
  readonly #parts: Parts;
  #leaving: (() => void)[] = [];
  #isCancelling = false;

  constructor(
    parts: Parts,
    place: { readonly asked: Address; readonly bound: Address; readonly fd: number; readonly number: number },
    listener: ListenerSlot,
  ) {
    this.#parts = parts;
    this.asked = place.asked;
    this.bound = place.bound;
    this.fd = place.fd;
    this.number = place.number;
    this.listener = listener;
    this.accept();
  }

  /** Accepts from now on, if it doesn't already. */
  accept(): void {
    if (this.isAccepting) return;
    this.isAccepting = true;
    this.#parts.ring.acceptMany(this.fd, this.#tag(operation.accept), 0);
  }

  /** Accepts again after it was out of descriptors. */
  resume(): void {
    if (this.#leaving.length === 0) this.accept();
  }

  /** An accept has completed: with a descriptor, or an error's number below zero. */
  completed(result: number, flags: number): void {
    if (result >= 0) this.#parts.accepted(this, result);
    if ((flags & kernel.IORING_CQE_F_MORE) !== 0) return;
    this.isAccepting = false;
    if (this.#leaving.length > 0) this.#leave();
    else if (exhaustion.has(-result)) this.#parts.exhausted();
    else this.accept();
  }

  /** The cancellation of its accept has been dealt with. */
  cancelled(): void {
    this.#isCancelling = false;
    if (this.#leaving.length > 0 && !this.isAccepting) this.#leave();
  }

  /** Stays, whoever has asked it to leave. */
  keep(): void {
    this.#settle();
    this.accept();
  }

  /** Accepts those who wait and no further ones; fulfils once it has left, or is kept after all. */
  leave(): Promise<void> {
    return new Promise((resolve) => {
      this.#leaving.push(resolve);
      if (!this.isAccepting) return this.#leave();
      if (this.#isCancelling) return;
      this.#isCancelling = true;
      this.#parts.ring.cancel(this.#tag(operation.cancel), listeningSerial, this.#tag(operation.accept), 0);
    });
  }

  #leave(): void {
    if (this.#isCancelling) return;
    for (let taken = 0; taken <= backlog; taken++) {
      const fd = this.#parts.sockets.acceptNow(this.fd);
      if (fd < 0) break;
      this.#parts.accepted(this, fd);
    }
    this.#parts.left(this);
    this.#settle();
  }

  #settle(): void {
    for (const resolve of this.#leaving) resolve();
    this.#leaving = [];
  }

  #tag(kind: number): number {
    return (kind << operationShift) | this.number;
  }
}

/** Stands in the second word of a cancellation, where those of connections have their serial, which is never 0. */
export const listeningSerial = 0;

const exhaustion = new Set([kernel.EMFILE, kernel.ENFILE, kernel.ENOBUFS, kernel.ENOMEM]);
