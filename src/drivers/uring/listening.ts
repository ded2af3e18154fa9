/**
 * An address that is listened on. The ring says that clients wait in the kernel's queue, and a few are accepted each
 * turn: those of them who are refused have left before the next ones are accepted, so that a crowd of thousands takes
 * some dozens of descriptors. The ring's own accept would empty the queue in one go, however long it is. Out of
 * descriptors, clients wait in the queue for a moment; if none is free by then they are turned away, and those that not
 * even the spare one is left for wait on.
 *
 *     accepting ── leave ─▶ passed by ─▶ last call ── some 200 ms later ─▶ leaving ─▶ closed
 *         ▲                     │            │                               │
 *         └──────── keep ───────┴────────────┴───────────────────────────────┘
 *
 * To close a listening socket resets the clients that wait in its queue, and those that were answered and are about to
 * come into it. So the kernel passes it by for those that come now: another socket of ours on the port has them, or
 * they are refused at once. Where several share an address it may still pick this one while others are not passed by;
 * so, when those of the other workers are too, the last call begins, from which on no handshake is begun here in any
 * case. Those under way have time to end, and the queue is empty when the socket is closed.
 */
import type { Address, ListenerSlot } from '../../core/contract.ts';
import { descriptorWaitMs, handshakeMs, othersMs } from '../shared.ts';
import { removeSocketFile, type SocketFile, socketFileAt } from '../unix-path.ts';
import type { Descriptors } from './descriptors.ts';
import * as kernel from './kernel.ts';
import { operation, operationShift } from './operations.ts';
import type { Ring } from './ring.ts';
import type { Sockets } from './sockets.ts';

interface ListeningDeps {
  readonly ring: Ring;
  readonly sockets: Sockets;
  now(): number;
  /** Takes over the descriptor of an accepted connection. */
  accepted(listening: Listening, fd: number): void;
  /** Closes an accepted connection that there are too few descriptors for. */
  turnAway(listening: Listening, fd: number): void;
  readonly descriptors: Pick<Descriptors, 'budget' | 'spare' | 'closeNow'>;
  /** Out of descriptors: accepting is to be resumed once one is free, or at this time. */
  exhausted(resumeMs: number): void;
  /** `leaveMs` has changed. */
  rescheduled(): void;
  /** No client waits to be accepted, and none will: its descriptor is to be closed. */
  left(listening: Listening): void;
}

export class Listening {
  readonly asked: Address;
  readonly bound: Address;
  readonly fd: number;
  /** Where it stands in the table of what is listened on. */
  readonly number: number;
  listener: ListenerSlot;
  /** A unix socket's name in the file system, until that is removed. */
  #file: SocketFile | undefined;
  /** When `due` is to be called. */
  leaveMs = Number.POSITIVE_INFINITY;
  #stage: 'accepting' | 'passed-by' | 'last-call' | 'leaving' = 'accepting';
  /** Clients wait in the kernel's queue. */
  isPaused: boolean;
  #isPolling = false;
  #isCancelling = false;
  #isOver = false;
  #giveUpMs = Number.POSITIVE_INFINITY;
  /** When those who wait for a descriptor are turned away; undefined while nobody does. */
  #turnAwayMs: number | undefined;
  readonly #deps: ListeningDeps;
  #unlistened: (() => void)[] = [];

  constructor(
    deps: ListeningDeps,
    place: { readonly asked: Address; readonly bound: Address; readonly fd: number; readonly number: number },
    listener: ListenerSlot,
    isPaused = false,
  ) {
    this.#deps = deps;
    this.asked = place.asked;
    this.bound = place.bound;
    this.fd = place.fd;
    this.number = place.number;
    this.listener = listener;
    this.#file = 'path' in place.bound ? socketFileAt(place.bound.path) : undefined;
    this.isPaused = isPaused;
    deps.sockets.unblock(place.fd);
    this.#poll();
  }

  /** No client can connect any more: a unix socket whose name was removed can't be kept. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Goes on after it was out of descriptors. */
  resume(): void {
    if (this.#stage !== 'leaving') this.#poll();
    else if (!this.#isPolling) this.#leave();
  }

  /** The poll is over: a client waits to be accepted, or it failed. */
  completed(result: number): void {
    this.#isPolling = false;
    if (this.#stage === 'leaving') return this.#leave();
    if (this.isPaused) return;
    const isOut = result >= 0 ? this.#acceptFew() === 'out-of-descriptors' : isExhaustion(result);
    if (isOut) this.#exhausted();
    else this.#poll();
  }

  /** The cancellation of the poll has been dealt with. */
  cancelled(): void {
    this.#isCancelling = false;
    if (this.#isPolling) return;
    if (this.#stage === 'leaving') this.#leave();
    else this.#poll();
  }

  /** Stays although it was asked to leave. Returns whether it can; if not, a further one is to listen in its place. */
  keep(isPaused = false): boolean {
    this.isPaused = isPaused;
    if (this.#stage !== 'accepting' && !this.#isUnix) {
      const { sockets } = this.#deps;
      if (!sockets.passByNoMore(this.fd)) {
        this.#isOver = true;
        return false;
      }
      sockets.admitHandshakes(this.fd);
    }
    this.#stage = 'accepting';
    this.leaveMs = Number.POSITIVE_INFINITY;
    this.#resolveUnlistened();
    if (isPaused && this.#isPolling) this.#stopPolling();
    this.#poll();
    return true;
  }

  /** Accepts those who are about to come and no further ones; fulfils once it has left, or is kept after all. */
  leave(isSucceeded = false): Promise<void> {
    const left = new Promise<void>((resolve) => this.#unlistened.push(resolve));
    if (this.#stage === 'accepting') {
      const nowMs = this.#deps.now();
      this.#giveUpMs = nowMs + emptyingMs;
      this.#stage = 'passed-by';
      this.isPaused = false;
      this.#poll();
      // A unix socket knows no handshakes: a client that connects is in the queue at once.
      if (this.#isUnix) this.leaveMs = nowMs;
      else if (!isSucceeded && this.#deps.sockets.passBy(this.fd)) this.leaveMs = nowMs + othersMs;
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
    this.#deps.sockets.refuseHandshakes(this.fd);
    this.leaveMs = nowMs + handshakeMs;
  }

  /** The time of the last call is over, or nobody is to wait for it. */
  leaveNow(): void {
    this.#stage = 'leaving';
    this.leaveMs = Number.POSITIVE_INFINITY;
    if (this.#isPolling) this.#stopPolling();
    else this.#leave();
  }

  #stopPolling(): void {
    if (this.#isCancelling) return;
    this.#isCancelling = true;
    this.#deps.ring.cancel(this.#tag(operation.cancel), listeningSerial, this.#tag(operation.accept), 0);
  }

  #poll(): void {
    if (this.#isPolling || this.#isCancelling || this.isPaused) return;
    this.#isPolling = true;
    this.#deps.ring.waitUntilReadable(this.fd, this.#tag(operation.accept), 0);
  }

  /**
   * Accepts some of the clients that wait, and says why no more of them. How many are left is asked behind the first: a
   * call that finds nobody has made a socket before that, which takes 3 µs and not 0.5. One that leaves makes sure.
   */
  #acceptFew(): 'nobody-waits' | 'enough' | 'out-of-descriptors' {
    const { sockets, descriptors } = this.#deps;
    const { budget, spare } = descriptors;
    let most = acceptedEachTurn;
    for (let taken = 0; taken < most; taken++) {
      let mayAccept = budget.mayAccept || (descriptors.closeNow() && budget.mayAccept);
      if (!mayAccept && this.#mustWait()) return 'out-of-descriptors';
      let fd = sockets.acceptNow(this.fd);
      if (isExhaustion(fd)) {
        // Also where nobody waits.
        budget.areGone();
        if (this.#mustWait()) return 'out-of-descriptors';
        mayAccept = false;
        spare.give();
        fd = sockets.acceptNow(this.fd);
      }
      if (fd >= 0 && mayAccept) this.#take(fd);
      else if (fd >= 0) this.#deps.turnAway(this, fd);
      // EINVAL is of a unix socket to which nobody can connect any more.
      else if (fd === -kernel.EAGAIN || fd === -kernel.EINVAL) return this.#nobodyWaits();
      if (isExhaustion(fd)) return 'out-of-descriptors';
      // Any other error is of a connection that has gone.
      if (taken === 0 && this.#stage !== 'leaving') most = Math.min(most, 1 + sockets.waiting(this.fd));
    }
    return most < acceptedEachTurn ? this.#nobodyWaits() : 'enough';
  }

  #nobodyWaits(): 'nobody-waits' {
    this.#deps.descriptors.spare.take();
    this.#turnAwayMs = undefined;
    return 'nobody-waits';
  }

  /** Whether a client waits, and has not waited for a descriptor for long enough. */
  #mustWait(): boolean {
    if (!this.#deps.sockets.hasWaiting(this.fd)) return false;
    const nowMs = this.#deps.now();
    this.#turnAwayMs ??= nowMs + descriptorWaitMs;
    return nowMs < this.#turnAwayMs;
  }

  #exhausted(): void {
    const nowMs = this.#deps.now();
    const turnAwayMs = this.#turnAwayMs ?? nowMs;
    this.#deps.exhausted(nowMs < turnAwayMs ? turnAwayMs : nowMs + resumeAfterMs);
  }

  #leave(): void {
    if (this.#isCancelling) return;
    if (this.#isUnix) this.#refuseNew();
    const nowMs = this.#deps.now();
    const why = this.#acceptFew();
    if (why === 'enough') {
      this.leaveMs = nowMs;
      return this.#deps.rescheduled();
    }
    if (why === 'out-of-descriptors' && nowMs < this.#giveUpMs) return this.#exhausted();
    this.#deps.left(this);
    this.#resolveUnlistened();
  }

  /** Its name is removed first: a process that is refused there thinks that nobody has it, and binds it. */
  #refuseNew(): void {
    this.#isOver = true;
    if (this.#file !== undefined) removeSocketFile(this.#file);
    this.#file = undefined;
    this.#deps.sockets.refuseNew(this.fd);
  }

  #take(fd: number): void {
    this.#turnAwayMs = undefined;
    if (this.#stage !== 'accepting' && !this.#isUnix) this.#deps.sockets.admitHandshakes(fd);
    this.#deps.accepted(this, fd);
  }

  #resolveUnlistened(): void {
    for (const resolve of this.#unlistened) resolve();
    this.#unlistened = [];
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

const acceptedEachTurn = 32;
/** Descriptors may have become free that are not ours. */
const resumeAfterMs = 100;
/** How long descriptors are waited for while clients wait in the queue of a socket that is to be closed. */
const emptyingMs = 5_000;

const exhaustion = new Set([kernel.EMFILE, kernel.ENFILE, kernel.ENOBUFS, kernel.ENOMEM]);

/** Of a call's result: the error's number below zero. */
function isExhaustion(result: number): boolean {
  return result < 0 && exhaustion.has(-result);
}
