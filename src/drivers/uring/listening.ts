/**
 * An address that is listened on. One operation accepts connection after connection; out of descriptors it ends,
 * the clients wait in the kernel's queue, and it is begun again once a descriptor was closed or a while has gone by.
 * That operation empties the queue in one go, however long it is. So while a crowd comes, a few are accepted each turn:
 * who is to be refused has left before the next come, and thousands take no more descriptors than some dozens.
 *
 *     accepting ── leave ─▶ passed by ─▶ last call ── some 200 ms later ─▶ leaving ─▶ closed
 *         ▲                     │            │                               │
 *         └──────── keep ───────┴────────────┴───────────────────────────────┘
 *
 * To close a listening socket resets who waits in its queue, and who has been answered and is about to come into it.
 * So the kernel passes it by for whoever comes now: another socket of ours on the port has them, or they are refused
 * at once. Where several share an address it may still pick this one while others are not passed by; so, when those
 * of the other workers are too, the last call begins, from which on no handshake is begun here in any case. Those
 * under way have time to end, and the queue is empty when the socket is closed.
 */
import type { Address, ListenerSlot } from '../../core/contract.ts';
import type { DescriptorBudget } from '../descriptor-budget.ts';
import { backlog } from '../shared.ts';
import { removeSocketFile, type SocketFile, socketFileAt } from '../unix-path.ts';
import * as kernel from './kernel.ts';
import { operation, operationShift } from './operations.ts';
import type { Ring } from './ring.ts';
import type { Sockets } from './sockets.ts';

interface Parts {
  readonly ring: Ring;
  readonly sockets: Sockets;
  now(): number;
  /** When the completions at hand were taken: another time in each turn. */
  turnMs(): number;
  /** Takes over the descriptor of an accepted connection. */
  accepted(listening: Listening, fd: number): void;
  /** How many more clients there are descriptors for. */
  readonly budget: DescriptorBudget;
  /** It is to be resumed once a descriptor is free. */
  exhausted(): void;
  /** Nobody waits to be accepted, and nobody will: its descriptor is to be closed. */
  left(listening: Listening): void;
}

export class Listening {
  readonly asked: Address;
  readonly bound: Address;
  readonly fd: number;
  /** Where it stands in the table of what is listened on. */
  readonly number: number;
  listener: ListenerSlot;
  /** Of a unix socket: its name in the file system, until that is removed. */
  #file: SocketFile | undefined;
  /** When `due` is to be called. */
  leaveMs = Number.POSITIVE_INFINITY;
  #stage: 'accepting' | 'passed-by' | 'last-call' | 'leaving' = 'accepting';
  #isAccepting = false;
  #isCrowded = false;
  /** What is under way tells only that somebody can be accepted. */
  #isPolling = false;
  #turnMs = 0;
  #acceptedInTurn = 0;
  #isCancelling = false;
  #isOver = false;
  #giveUpMs = Number.POSITIVE_INFINITY;
  readonly #parts: Parts;
  #waiting: (() => void)[] = [];

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
    this.#file = 'path' in place.bound ? socketFileAt(place.bound.path) : undefined;
    this.#accept();
  }

  /** Nobody can come any more: a unix socket whose name was removed can't be kept. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Goes on after it was out of descriptors. */
  resume(): void {
    if (this.#stage !== 'leaving') this.#accept();
    else if (!this.#isAccepting) this.#leave();
  }

  /** An accept has completed: with a descriptor, or an error's number below zero. */
  completed(result: number, flags: number): void {
    const wasPolling = this.#isPolling;
    if (result >= 0 && !wasPolling) this.#take(result);
    if ((flags & kernel.IORING_CQE_F_MORE) !== 0) {
      this.#isCrowded ||= this.#acceptedInTurn > acceptedAtOnce;
      if (this.#isCrowded || !this.#parts.budget.isPlentiful) this.#stopAccepting();
      return;
    }
    this.#isAccepting = false;
    this.#isPolling = false;
    if (this.#stage === 'leaving') return this.#leave();
    if (wasPolling && result >= 0) return this.#acceptFew();
    if (exhaustion.has(-result)) {
      this.#parts.budget.areGone();
      this.#parts.exhausted();
    } else this.#accept();
  }

  /** The cancellation of its accept has been dealt with. */
  cancelled(): void {
    this.#isCancelling = false;
    if (this.#isAccepting) return;
    if (this.#stage === 'leaving') this.#leave();
    else this.#accept();
  }

  /** Stays, whoever has asked it to leave. Says whether it can; if not, a further one is to listen in its place. */
  keep(): boolean {
    if (this.#stage !== 'accepting' && !this.#isUnix) {
      const { sockets } = this.#parts;
      if (!sockets.passByNoMore(this.fd)) {
        this.#isOver = true;
        return false;
      }
      sockets.admitHandshakes(this.fd);
    }
    this.#stage = 'accepting';
    this.leaveMs = Number.POSITIVE_INFINITY;
    this.#settle();
    this.#accept();
    return true;
  }

  /** Accepts those who are about to come and no further ones; fulfils once it has left, or is kept after all. */
  leave(isSucceeded = false): Promise<void> {
    const left = new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#stage === 'accepting') {
      const nowMs = this.#parts.now();
      this.#giveUpMs = nowMs + emptyingMs;
      this.#stage = 'passed-by';
      // A unix socket knows no handshakes: who connects is in the queue at once.
      if (this.#isUnix) this.leaveMs = nowMs;
      else if (!isSucceeded && this.#parts.sockets.passBy(this.fd)) this.leaveMs = nowMs + othersMs;
      else this.#callLast(nowMs);
    }
    return left;
  }

  /** The time that `leaveMs` gives has come. */
  due(nowMs: number): void {
    if (this.#stage === 'passed-by' && !this.#isUnix) this.#callLast(nowMs);
    else this.leaveNow();
  }

  #callLast(nowMs: number): void {
    this.#stage = 'last-call';
    this.#parts.sockets.refuseHandshakes(this.fd);
    this.leaveMs = nowMs + handshakeMs;
  }

  /** The time of the last call is over, or nobody is to wait for it. */
  leaveNow(): void {
    this.#stage = 'leaving';
    this.leaveMs = Number.POSITIVE_INFINITY;
    if (this.#isAccepting) this.#stopAccepting();
    else this.#leave();
  }

  #stopAccepting(): void {
    if (this.#isCancelling) return;
    this.#isCancelling = true;
    this.#parts.ring.cancel(this.#tag(operation.cancel), listeningSerial, this.#tag(operation.accept), 0);
  }

  /** On and on while there are plenty of descriptors, else one by one, as far as each client's dial finds one too. */
  #accept(): void {
    if (this.#isAccepting || this.#isCancelling) return;
    const { budget, ring } = this.#parts;
    const isPlentiful = budget.isPlentiful;
    if (!isPlentiful && budget.clients < 1) return this.#parts.exhausted();
    this.#isAccepting = true;
    this.#isPolling = this.#isCrowded && isPlentiful;
    if (this.#isPolling) ring.waitUntilReadable(this.fd, this.#tag(operation.accept), 0);
    else if (isPlentiful) ring.acceptMany(this.fd, this.#tag(operation.accept), 0);
    else ring.acceptOne(this.fd, this.#tag(operation.accept), 0);
  }

  /** Of a crowd, until nobody waits. */
  #acceptFew(): void {
    const { budget, sockets } = this.#parts;
    for (let taken = 0; taken < acceptedAtOnce && budget.isPlentiful; taken++) {
      const fd = sockets.acceptNow(this.fd);
      if (fd >= 0) this.#take(fd);
      else if (fd === -kernel.EAGAIN) this.#isCrowded = false;
      else if (exhaustion.has(-fd)) {
        budget.areGone();
        return this.#parts.exhausted();
      }
      if (!this.#isCrowded) break;
    }
    this.#accept();
  }

  #leave(): void {
    if (this.#isCancelling) return;
    const { sockets } = this.#parts;
    if (this.#isUnix) this.#refuseNew();
    for (let taken = 0; taken <= backlog; taken++) {
      const fd = sockets.acceptNow(this.fd);
      if (fd >= 0) this.#take(fd);
      else if (fd === -kernel.EAGAIN || fd === -kernel.EINVAL) break;
      // Any other error is of a connection that has gone; but those who wait for descriptors have not.
      else if (exhaustion.has(-fd)) {
        if (this.#parts.now() < this.#giveUpMs) return this.#parts.exhausted();
        break;
      }
    }
    this.#parts.left(this);
    this.#settle();
  }

  /** The name goes first: whoever is refused there takes it for one that nobody has. */
  #refuseNew(): void {
    this.#isOver = true;
    if (this.#file !== undefined) removeSocketFile(this.#file);
    this.#file = undefined;
    this.#parts.sockets.refuseNew(this.fd);
  }

  #take(fd: number): void {
    if (this.#stage !== 'accepting' && !this.#isUnix) this.#parts.sockets.admitHandshakes(fd);
    const turnMs = this.#parts.turnMs();
    this.#acceptedInTurn = turnMs === this.#turnMs ? this.#acceptedInTurn + 1 : 1;
    this.#turnMs = turnMs;
    this.#parts.accepted(this, fd);
  }

  #settle(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }

  get #isUnix(): boolean {
    return 'path' in this.bound;
  }

  #tag(kind: number): number {
    return (kind << operationShift) | this.number;
  }
}

/** Stands in the second word of a cancellation, where those of connections have their serial, which is never 0. */
export const listeningSerial = 0;

/** More in one turn are a crowd. */
const acceptedAtOnce = 32;
/** Until then the other workers have heard that they are to leave, too. */
const othersMs = 50;
/** Longer than the way to nearly every client and back. */
const handshakeMs = 200;
/** So long descriptors are waited for while clients wait in the queue of a socket that is to be closed. */
const emptyingMs = 5_000;

const exhaustion = new Set([kernel.EMFILE, kernel.ENFILE, kernel.ENOBUFS, kernel.ENOMEM]);
