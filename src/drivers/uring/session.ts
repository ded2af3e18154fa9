/**
 * One client connection and, once dialed, its backend connection:
 *
 *     waiting ── dial ─▶ dialing ── connected ─▶ dialed ── relay ─▶ relaying
 *        ▲                  │                       │                  │
 *        └── failed, aborted┴───────── aborted ─────┘                  │
 *     closing (FIN sent to both; what still comes is discarded)   ◀────┤   close 'fin', in every stage
 *     resetting (RST sent to both)                                ◀────┘   close 'reset' or a peer's reset
 *
 * However it goes, `ended` follows once every socket it ever opened is closed.
 */

import { getSystemErrorName } from 'node:util';
import { assert } from '../../core/assert.ts';
import type { Address, Client, CoreEvent, ListenerSlot, SessionId } from '../../core/contract.ts';
import { dialFailure } from '../dial-failure.ts';
import { type Group, reserveGroup } from './buffers.ts';
import {
  type Connection,
  cancelling,
  connecting,
  doomed,
  finished,
  hasFinished,
  receivesMany,
  receiving,
  sending,
  streams,
  toBeFinished,
  watching,
} from './connection.ts';
import { Inspection } from './inspection.ts';
import * as kernel from './kernel.ts';
import type { Outbox } from './outbox.ts';
import type { Surroundings } from './surroundings.ts';

type Side = 'client' | 'backend';
type Ended = Extract<CoreEvent, { readonly kind: 'ended' }>;
type Ending = Pick<Ended, 'how' | 'endedBy'>;

const clientReset: Ending = { how: 'client-reset', endedBy: 'client' };
const backendReset: Ending = { how: 'backend-reset', endedBy: 'backend' };
const closed: Ending = { how: 'closed', endedBy: 'proxy' };

/** What is held of a client until a backend takes it: reading stops once there is this much. */
const heldBytesMax = 64 * 1024;
/** Large chunks that wait for a slow reader: reading stops once there are this many. */
const queuedStreamChunksMax = 2;

export class Session {
  readonly id: SessionId;
  readonly #listener: ListenerSlot;
  readonly #around: Surroundings;
  lastByteMs = 0;
  #stage: 'waiting' | 'dialing' | 'dialed' | 'relaying' | 'closing' | 'resetting' = 'waiting';
  readonly #client: Connection;
  #backend: Connection | undefined;
  /** What is to be sent, and undefined where nothing is. */
  #toClient: Outbox | undefined;
  #toBackend: Outbox | undefined;
  #inspection: Inspection | undefined;
  /** What the backend that is dialed gets before anything else. */
  #preamble: Uint8Array | undefined;
  #openConnections = 1;
  #firstFin: Side | undefined;
  #ending: Ending | undefined;

  /** Takes the accepted client. It is read from now on, so that its leaving is seen. */
  constructor(id: SessionId, listener: ListenerSlot, fd: number, around: Surroundings) {
    this.id = id;
    this.#listener = listener;
    this.#around = around;
    this.#client = around.opened(this, fd);
    this.read(this.#client);
  }

  get arrivedAt(): Client {
    return this.#around.sockets.arrivedAt(this.#client.fd);
  }

  inspect(beyond: number): void {
    if (this.#stage !== 'waiting') return;
    this.#inspection ??= new Inspection();
    this.#inspection.ask(beyond);
    if (this.#heldBytes > beyond) this.#around.later(() => this.#show());
  }

  /** Answers the core's question, if there is one and the bytes to do so. */
  #show(): void {
    const held = this.#toBackend;
    if (this.#stage !== 'waiting' || held === undefined) return;
    const bytes = this.#inspection?.answer(held, this.#around.buffers);
    if (bytes !== undefined) this.#around.emit({ kind: 'received', session: this.id, bytes });
  }

  discard(bytes: number): void {
    const held = this.#toBackend;
    if (this.#stage !== 'waiting' || held === undefined) return;
    held.discard(bytes, this.#around.buffers);
    this.#inspection?.discarded(bytes);
    if (held.isEmpty) this.#giveBack(held);
    this.read(this.#client);
  }

  dial(address: Address, preamble: Uint8Array | undefined): void {
    if (this.#stage !== 'waiting') return;
    this.#stage = 'dialing';
    this.#inspection = undefined;
    this.#preamble = preamble;
    const sockaddr = this.#around.sockets.encode(address);
    const fd = this.#around.sockets.open(sockaddr);
    if (fd < 0) return this.#dialFailed(-fd, true);
    this.#openConnections++;
    this.#backend = this.#around.opened(this, fd);
    this.#backend.connect(this.#around, sockaddr);
  }

  abortDial(): void {
    if (this.#stage !== 'dialing' && this.#stage !== 'dialed') return;
    this.#stage = 'waiting';
    const backend = this.#backend;
    this.#backend = undefined;
    backend?.doom(this.#around, 'fin');
  }

  relay(): void {
    const backend = this.#backend;
    if (this.#stage !== 'dialed' || backend === undefined) return;
    this.#stage = 'relaying';
    this.lastByteMs = this.#around.turnMs;
    if (!this.#hasSentPreamble(backend)) return this.#failed(backend);
    if (this.#toBackend !== undefined) backend.send(this.#around, this.#toBackend);
    if (this.#client.is(hasFinished)) this.#finishBehind(backend);
    this.read(backend);
    this.read(this.#client);
  }

  /** False where the backend has gone meanwhile. */
  #hasSentPreamble(backend: Connection): boolean {
    const preamble = this.#preamble;
    if (preamble === undefined) return true;
    this.#preamble = undefined;
    return this.#around.sockets.sendFirst(backend.fd, preamble, this.#toBackend !== undefined);
  }

  close(how: 'reset' | 'fin'): void {
    if (this.#stage === 'resetting') return;
    this.#ending ??= closed;
    if (how === 'reset') return this.#reset();
    if (this.#stage === 'closing') return;
    const wasRelaying = this.#stage === 'relaying';
    this.#stage = 'closing';
    if (this.#backend !== undefined) {
      if (wasRelaying) this.#finishBehind(this.#backend);
      else this.#backend.doom(this.#around, 'fin');
    }
    this.#finishBehind(this.#client);
    this.read(this.#client);
  }

  connected(backend: Connection, result: number): void {
    const around = this.#around;
    backend.clear(connecting);
    if (backend.is(doomed) || backend !== this.#backend) return backend.settle(around);
    if (result < 0) {
      this.#backend = undefined;
      backend.doom(around, 'fin');
      return this.#dialFailed(-result, false);
    }
    this.#stage = 'dialed';
    around.emit({ kind: 'dialed', session: this.id });
  }

  /** The socket is closed by `failed`, where it was opened, or has never been. */
  #dialFailed(errno: number, insideCommand: boolean): void {
    this.#stage = 'waiting';
    const event = {
      kind: 'dial-failed',
      session: this.id,
      why: dialFailure(getSystemErrorName(-errno)),
    } as const;
    if (insideCommand) this.#around.later(() => this.#around.emit(event));
    else this.#around.emit(event);
  }

  received(from: Connection, result: number, flags: number): void {
    const around = this.#around;
    if ((flags & kernel.IORING_CQE_F_MORE) === 0) from.clear(receiving);
    if ((flags & kernel.IORING_CQE_F_BUFFER) !== 0) {
      this.#carry(from, flags >>> kernel.IORING_CQE_BUFFER_SHIFT, result);
    }
    if (from.is(doomed)) return from.settle(around);
    if (result === 0) return this.#finned(from);
    if (result < 0 && !this.#mayGoOn(from, -result)) return;
    if (!from.is(receiving)) this.read(from);
  }

  #carry(from: Connection, id: number, length: number): void {
    const { buffers } = this.#around;
    const chunk = buffers.take(from.group, id);
    const isWanted = this.#ending === undefined && !from.is(doomed) && length > 0;
    if (!isWanted) return buffers.giveBack(chunk);
    const outbox = this.#outboxBehind(from);
    if (this.#stage !== 'relaying') {
      // Many small messages that are held must not take many buffers.
      outbox.appendDensely(chunk, length, buffers);
      return this.#show();
    }
    from.judgePace(length);
    outbox.append(chunk, length, buffers);
    this.lastByteMs = this.#around.turnMs;
    const to = from === this.#client ? this.#backend : this.#client;
    to?.send(this.#around, outbox);
    const isTooMuch = from.is(streams) || outbox.count >= buffers.share;
    if (isTooMuch && from.is(receivesMany)) from.stopReceiving(this.#around);
  }

  /** Where goes what comes from here. */
  #outboxBehind(from: Connection): Outbox {
    const { outboxes } = this.#around;
    if (from !== this.#client) {
      this.#toClient ??= outboxes.take();
      return this.#toClient;
    }
    this.#toBackend ??= outboxes.take();
    return this.#toBackend;
  }

  /** Whether reading may go on after an error. */
  #mayGoOn(from: Connection, errno: number): boolean {
    switch (errno) {
      case kernel.ECANCELED:
      case kernel.EAGAIN:
      case kernel.EINTR:
        return true;
      case kernel.ENOBUFS:
        return this.#isFedAgain(from, from.group);
      default:
        this.#failed(from);
        return false;
    }
  }

  /** Streams without a large buffer go on with small ones, then with the reserve; without that, they wait. */
  #isFedAgain(from: Connection, group: Group): boolean {
    if (this.#around.buffers.grow(group)) return true;
    from.clear(streams);
    if (group !== reserveGroup) return true;
    this.#around.starved(from);
    return false;
  }

  /** Receives, unless that is under way, or more is queued than should be. */
  read(from: Connection): void {
    if (from.is(doomed | hasFinished | receiving | cancelling)) return;
    const isClient = from === this.#client;
    if (this.#ending !== undefined) {
      if (isClient) from.receive(this.#around, false);
      return;
    }
    if (this.#stage !== 'relaying') {
      if (isClient) this.#readIf(this.#heldBytes < heldBytesMax, from, false);
      return;
    }
    const count = (isClient ? this.#toBackend : this.#toClient)?.count ?? 0;
    const { buffers } = this.#around;
    if (from.is(streams)) this.#readIf(count < queuedStreamChunksMax, from, false);
    else this.#readIf(count < buffers.share, from, !buffers.areScarce);
  }

  #readIf(hasRoom: boolean, from: Connection, many: boolean): void {
    if (hasRoom) from.receive(this.#around, many);
    else from.watch(this.#around);
  }

  /** A peer that is not read has reset, or is through with both directions: that is seen when it is read again. */
  watched(from: Connection, result: number): void {
    from.clear(watching);
    if (from.is(doomed)) from.settle(this.#around);
    else if (result > 0 && (result & kernel.POLLERR) !== 0) this.#failed(from);
  }

  get #heldBytes(): number {
    return this.#toBackend?.bytes ?? 0;
  }

  sent(to: Connection, result: number): void {
    const around = this.#around;
    to.clear(sending);
    const outbox = to === this.#client ? this.#toClient : this.#toBackend;
    assert(outbox !== undefined, 'what is being sent stays in its outbox');
    const length = around.buffers.lengths[outbox.first] ?? 0;
    outbox.drop(around.buffers);
    if (outbox.isEmpty) this.#giveBack(outbox);
    if (result > 0) this.#delivered(to, result);
    if (to.is(doomed)) return to.settle(around);
    if (result !== length) return this.#failed(to);
    if (!outbox.isEmpty) to.send(around, outbox);
    else if (to.is(toBeFinished)) this.#finish(to);
    const from = to === this.#client ? this.#backend : this.#client;
    if (from !== undefined) this.read(from);
  }

  #giveBack(outbox: Outbox): void {
    if (outbox === this.#toClient) this.#toClient = undefined;
    else this.#toBackend = undefined;
    this.#around.outboxes.giveBack(outbox);
  }

  #delivered(to: Connection, bytes: number): void {
    to.deliveredBytes += bytes;
    if (to === this.#client) this.#around.countBytes(this.#listener, 0, bytes);
    else this.#around.countBytes(this.#listener, bytes, 0);
  }

  cancelled(connection: Connection): void {
    connection.clear(cancelling);
    if (connection.is(doomed)) connection.settle(this.#around);
    else this.read(connection);
  }

  #finned(from: Connection): void {
    from.set(hasFinished);
    if (this.#ending !== undefined) return this.#closeIfDone(from);
    const side = from === this.#client ? 'client' : 'backend';
    const isFirst = this.#firstFin === undefined;
    this.#firstFin ??= side;
    if (this.#stage === 'relaying') {
      const to = from === this.#client ? this.#backend : this.#client;
      if (to !== undefined) this.#finishBehind(to);
      this.#closeIfDone(from);
    }
    if (!isFirst) return;
    this.#show();
    if (this.#ending !== undefined) return;
    // What is held waits for a backend; what is queued for one has been taken.
    const unsentBytes = this.#stage === 'relaying' ? 0 : this.#heldBytes;
    this.#around.emit({ kind: 'half-closed', session: this.id, side, unsentBytes });
  }

  /** Sends FIN behind everything that is queued. */
  #finishBehind(to: Connection): void {
    to.set(toBeFinished);
    const outbox = to === this.#client ? this.#toClient : this.#toBackend;
    if (outbox === undefined) this.#finish(to);
    else if (outbox.count === 1) to.finFollows(this.#around);
  }

  #finish(to: Connection): void {
    if (to.is(finished | doomed)) return;
    to.set(finished);
    // A backend that is told to close is not waited for. Closing sends FIN too.
    const isBackendOfClosing = this.#stage === 'closing' && to !== this.#client;
    if (isBackendOfClosing) to.doom(this.#around, 'fin');
    else if (to.is(hasFinished)) this.#closeIfDone(to);
    else this.#around.sockets.finish(to.fd);
  }

  #closeIfDone(connection: Connection): void {
    if (connection.is(hasFinished) && connection.is(finished)) connection.doom(this.#around, 'fin');
  }

  #failed(connection: Connection): void {
    const isClient = connection === this.#client;
    // A backend that nobody waits for any more.
    if (!isClient && this.#stage === 'closing') return connection.doom(this.#around, 'fin');
    this.#ending ??= isClient ? clientReset : backendReset;
    this.#reset();
  }

  #reset(): void {
    this.#stage = 'resetting';
    this.#client.doom(this.#around, 'reset');
    this.#backend?.doom(this.#around, 'reset');
  }

  /** One of its connections is closed. */
  closed(connection: Connection): void {
    this.#openConnections--;
    if (connection === this.#client && this.#stage === 'closing') this.#backend?.doom(this.#around, 'fin');
    if (this.#openConnections === 0) this.#end();
  }

  #end(): void {
    for (const outbox of [this.#toBackend, this.#toClient]) {
      if (outbox === undefined) continue;
      while (!outbox.isEmpty) outbox.drop(this.#around.buffers);
      this.#giveBack(outbox);
    }
    this.#around.forget(this);
    const event = {
      kind: 'ended',
      session: this.id,
      ...(this.#ending ?? { how: 'finished', endedBy: this.#firstFin ?? 'client' }),
      bytesToBackend: this.#backend?.deliveredBytes ?? 0,
      bytesToClient: this.#client.deliveredBytes,
    } as const;
    this.#around.later(() => this.#around.emit(event));
  }
}
