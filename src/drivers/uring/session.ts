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

import { assert } from '../../core/assert.ts';
import type { Address, Client, CoreEvent, ListenerSlot, SessionId } from '../../core/contract.ts';
import type { DriverHost } from '../driver.ts';
import { type Buffers, type Group, largeGroup, reserveGroup, smallBytes } from './buffers.ts';
import {
  type Connection,
  cancelling,
  connecting,
  doomed,
  filledOne,
  finished,
  hasFinished,
  receivesMany,
  receiving,
  sending,
  streams,
  toBeFinished,
  watching,
} from './connection.ts';
import * as kernel from './kernel.ts';
import type { Outbox, Outboxes } from './outbox.ts';
import type { Ring } from './ring.ts';
import type { Sockets } from './sockets.ts';

/** What a session needs of the driver around it. */
export interface Surroundings extends Pick<DriverHost, 'emit' | 'countBytes'> {
  readonly ring: Ring;
  readonly buffers: Buffers;
  readonly outboxes: Outboxes;
  readonly sockets: Sockets;
  /** When the completions at hand were taken. */
  readonly turnMs: number;
  /** Makes a connection of a descriptor. */
  opened(session: Session, fd: number): Connection;
  /** Nothing is under way on the connection: closes its descriptor, and tells its session. */
  closed(connection: Connection): void;
  /** There is no buffer to receive into: `read` is to be called when there is. */
  starved(connection: Connection): void;
  /** Emits later, outside of any command. */
  later(event: CoreEvent): void;
  /** The session is over: commands no longer reach it. */
  forget(session: Session): void;
}

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
/** A stream that brings less than this at a time is one no more. */
const streamBytesMin = 8 * 1024;

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

  dial(address: Address): void {
    if (this.#stage !== 'waiting') return;
    this.#stage = 'dialing';
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
    if (this.#toBackend !== undefined) backend.send(this.#around, this.#toBackend);
    if (this.#client.is(hasFinished)) this.#finishBehind(backend);
    this.read(backend);
    this.read(this.#client);
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
    const event = { kind: 'dial-failed', session: this.id, why: dialFailure(errno) } as const;
    if (insideCommand) this.#around.later(event);
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
    this.#judgePace(from, length);
    const outbox = this.#outboxBehind(from);
    // Many small messages that are held must not take many buffers.
    if (this.#stage !== 'relaying') return outbox.appendDensely(chunk, length, buffers);
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

  /** A direction that fills two buffers in a row is a stream. */
  #judgePace(from: Connection, length: number): void {
    if (from.group === largeGroup) {
      if (length < streamBytesMin) from.clear(streams);
    } else if (length < smallBytes) from.clear(filledOne);
    else from.set(from.is(filledOne) ? streams : filledOne);
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
    // What is held waits for a backend; what is queued for one has been taken.
    const unsentBytes = this.#stage === 'relaying' ? 0 : this.#heldBytes;
    this.#around.emit({ kind: 'half-closed', session: this.id, side, unsentBytes });
  }

  /** Sends FIN behind everything that is queued. */
  #finishBehind(to: Connection): void {
    to.set(toBeFinished);
    if ((to === this.#client ? this.#toClient : this.#toBackend) === undefined) this.#finish(to);
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
    this.#around.later({
      kind: 'ended',
      session: this.id,
      ...(this.#ending ?? { how: 'finished', endedBy: this.#firstFin ?? 'client' }),
      bytesToBackend: this.#backend?.deliveredBytes ?? 0,
      bytesToClient: this.#client.deliveredBytes,
    });
  }
}

type DialFailure = Extract<CoreEvent, { readonly kind: 'dial-failed' }>['why'];

function dialFailure(errno: number): DialFailure {
  switch (errno) {
    case kernel.ECONNREFUSED:
    case kernel.ENOENT: // a unix socket that nobody has made
      return 'connect-refused';
    case kernel.EMFILE:
    case kernel.ENFILE:
    case kernel.EADDRNOTAVAIL:
    case kernel.ENOBUFS:
    case kernel.ENOMEM:
      return 'exhausted';
    default:
      return 'connect-failed';
  }
}
