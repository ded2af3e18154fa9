/**
 * One connection, accepted or dialed, kept for the next one of its number. What FIN, RST, close and back-pressure mean
 * for it and its partner is in `relay.ts`, the operations on its descriptor in `ring-socket.ts`; here is what its
 * completions and the core's commands do.
 */
import { getSystemErrorName } from 'node:util';
import { assert } from '../../core/assert.ts';
import type { Address, BackendSlot, LinkEnd, ListenerSlot } from '../../core/contract.ts';
import { dialFailure } from '../dial-failure.ts';
import * as relay from '../relay.ts';
import { heldBytesMax } from '../shared.ts';
import { type Group, largeGroup, smallGroup } from './buffers.ts';
import type { ByteQueue, ByteQueues } from './byte-queue.ts';
import { Inspection } from './inspection.ts';
import * as kernel from './kernel.ts';
import type { LinkEvents } from './link-events.ts';
import {
  cancelling,
  connecting,
  firstLinkMark,
  inUse,
  RingSocket,
  receiving,
  type SocketContext,
  sending,
  streams,
  watching,
} from './ring-socket.ts';

/** What a link needs of the driver. */
export interface LinkContext extends SocketContext {
  readonly queues: ByteQueues;
  readonly events: LinkEvents;
  /** When the completions at hand were taken. */
  readonly turnMs: number;
  /** Calls `tell` soon, outside of any command. */
  tellSoon(link: Link): void;
  /** There is no buffer of the group left: calls `resumeWaiting` once there is. */
  waitForBuffer(link: Link, group: Group): void;
  /** It holds something, so that others come first: calls `resumeWaiting` once buffers are not scarce. */
  waitForPlenty(link: Link): void;
  /** Has `connectedUnix` called with what has become of the dial, once that is known. */
  dialUnix(link: Link, sockaddr: Uint8Array): void;
  /** A dial found none: accepting must look how many there are. */
  descriptorMissing(): void;
  /** Its descriptor is closed, or there was none. */
  descriptorFreed(): void;
  /** Its number may be given to the next one. */
  release(link: Link): void;
  countBytes(listener: ListenerSlot, backend: BackendSlot, toBackend: number, toClient: number): void;
}

/**
 * Of a stream in small buffers so much may wait. Receives that go on end after so much too: without a limit a fast
 * sender fills all the buffers there are before anybody looks at what has come. One link was seen to take 14 MB in a turn.
 */
const streamBytesMax = 64 * 1024;
/** So much is read of a peer that has reset for a partner that does not take it: what waits in a kernel as a rule. */
const drainedBytesMax = 1024 * 1024;

const isUnix = firstLinkMark;
const isBackend = firstLinkMark << 1;
/** It was refused what the core asked for: only to close it is left. */
const refused = firstLinkMark << 2;
const waitsForBuffer = firstLinkMark << 3;
/** Its peer was seen to leave while bytes of it wait in the kernel; of a joined link by RST, or from a unix socket. */
const leavingSeen = firstLinkMark << 4;
const waitsForPlenty = firstLinkMark << 9;
/** Events that are due. */
const outcomeDue = firstLinkMark << 5;
const shownDue = firstLinkMark << 6;
const tlsFailedDue = firstLinkMark << 7;
const closedDue = firstLinkMark << 8;
const due = outcomeDue | shownDue | tlsFailedDue | closedDue;

export class Link extends RingSocket implements relay.Link<Link> {
  end: LinkEnd | undefined;
  partner: Link | undefined;
  /** What is to be sent to its peer; undefined where nothing is. */
  queue: ByteQueue | undefined;
  /** What has come of it while it was not joined; undefined where that is nothing. */
  held: ByteQueue | undefined;
  listener: ListenerSlot = 0;
  /** Known once it is joined. */
  backend: BackendSlot = 0;
  sentBytes = 0;
  protected readonly context: LinkContext;
  #inspection: Inspection | undefined;
  #lastByteMs = -0.5;
  #errno = 0;

  constructor(id: number, context: LinkContext) {
    super(id);
    this.context = context;
  }

  get lastByteMs(): number {
    const { partner } = this;
    return partner === undefined ? this.#lastByteMs : Math.max(this.#lastByteMs, partner.#lastByteMs);
  }

  get waitingBytes(): number {
    return (this.held?.bytes ?? 0) + (this.queue?.bytes ?? 0);
  }

  // What relay.ts asks.

  get isSending(): boolean {
    return this.queue !== undefined;
  }

  /** Of a stream one large chunk may wait, or a few small ones: never as much as its sender would send at once. */
  get hasRoom(): boolean {
    const { queue } = this;
    if (queue === undefined) return true;
    if (queue.count >= this.context.buffers.share) return false;
    return this.partner?.is(streams) !== true || queue.bytes < streamBytesMax;
  }

  /** Its peer has reset: what it sent before is read whether there is room or not, for the kernel tells no further end. */
  get #isDrained(): boolean {
    return this.is(leavingSeen) && this.partner !== undefined && !this.is(isUnix);
  }

  get mayHold(): boolean {
    if (this.is(refused)) return false;
    return this.held === undefined || (this.held.bytes < heldBytesMax && !this.context.buffers.areScarce);
  }

  read(): void {
    if (this.is(notRead)) return;
    if (relay.mayRead<Link>(this) || this.#isDrained) return this.#receive();
    if (this.#holdsLessThanItMay && !this.is(waitsForPlenty)) {
      this.marks |= waitsForPlenty;
      this.context.waitForPlenty(this);
    }
    this.#watchLeaving();
  }

  /** It is read no further for want of buffers alone. */
  get #holdsLessThanItMay(): boolean {
    return this.#isHeld && this.held !== undefined && this.held.bytes < heldBytesMax;
  }

  sendFin(): void {
    if (!this.is(relay.finReceived)) this.context.sockets.finish(this.fd);
  }

  finFollows(): void {
    if (this.queue?.count === 1) this.finFollowsSend();
  }

  dropQueue(): void {
    this.queue = this.#emptied(this.queue);
  }

  // Commands.

  /** The client's end of a connection that was accepted. */
  accepted(fd: number, listener: ListenerSlot, overUnix: boolean): void {
    this.fd = fd;
    this.listener = listener;
    this.#lastByteMs = this.context.turnMs;
    if (overUnix) this.marks |= isUnix;
  }

  connect(address: Address): void {
    const { sockets } = this.context;
    const sockaddr = sockets.encode(address);
    this.marks |= relay.dialing;
    this.#lastByteMs = this.context.turnMs;
    const fd = sockets.open(sockaddr);
    if (fd < 0) {
      this.context.descriptorMissing();
      return this.#tellOutcome(-fd);
    }
    this.fd = fd;
    if (!('path' in address)) return this.connectTo(sockaddr);
    this.marks |= isUnix;
    this.context.dialUnix(this, sockaddr);
  }

  inspect(beyond: number): void {
    if (!this.#isHeld) return;
    this.#inspection ??= new Inspection();
    this.#inspection.ask(beyond);
    if ((this.held?.bytes ?? 0) > beyond) this.#tellSoon(shownDue);
  }

  discard(bytes: number): void {
    if (!this.#isHeld || this.held === undefined) return;
    this.held.discard(bytes, this.context.buffers);
    this.#inspection?.discarded(bytes);
    if (this.held.isEmpty) this.held = this.#emptied(this.held);
    this.read();
  }

  send(bytes: Uint8Array): void {
    if (!this.#isHeld) return;
    this.#inspection = undefined;
    const errno = this.#sendNow(bytes, false);
    if (errno !== 0) relay.writeFailed<Link>(this, this.#wasReset(-errno));
  }

  /** TLS is the portable driver's. Whoever asks this one has made a mistake, for which no session shall wait. */
  startTls(): void {
    if (!this.#isHeld) return;
    this.#inspection = undefined;
    this.marks |= refused;
    this.#tellSoon(tlsFailedDue);
  }

  /** What is held of each goes out to the other, uncopied, and then what comes. */
  join(backend: Link, slot: BackendSlot, first: Uint8Array | undefined): void {
    // RST has come for one of them, which the core did not know yet: both are reset.
    if (this.is(relay.closing) || backend.is(relay.closing)) return relay.join<Link>(this, backend);
    if (!this.#isHeld || !backend.#isHeld) return;
    backend.listener = this.listener;
    this.backend = slot;
    backend.backend = slot;
    backend.marks |= isBackend;
    this.#takeAsQueue(backend);
    backend.#takeAsQueue(this);
    const errno = first === undefined ? 0 : backend.#sendNow(first, backend.queue !== undefined);
    if (errno === 0) backend.#sendQueue();
    this.#sendQueue();
    relay.join<Link>(this, backend);
    if (errno !== 0) relay.writeFailed<Link>(backend, backend.#wasReset(-errno));
  }

  closeBy(how: 'fin' | 'reset'): void {
    this.#inspection = undefined;
    if (this.fd >= 0) relay.close<Link>(this, how);
    else this.#tellSoon(closedDue);
  }

  /** Whether it is one of the links that `inspect` to `join` are for. */
  get #isHeld(): boolean {
    return this.partner === undefined && this.end === undefined && !this.is(notHeld);
  }

  #takeAsQueue(from: Link): void {
    this.queue = from.held;
    from.held = undefined;
    from.#inspection = undefined;
    from.#lastByteMs = this.context.turnMs;
    from.clear(waitsForBuffer | leavingSeen);
  }

  /** 0, or the error's number where the peer takes no more. */
  #sendNow(bytes: Uint8Array, areFollowed: boolean): number {
    return this.context.sockets.sendNow(this.fd, bytes, areFollowed);
  }

  #sendQueue(): void {
    const { queue } = this;
    if (queue === undefined || this.is(sending | relay.closing)) return;
    this.sendFirst(queue, this.is(relay.finDue) && queue.count === 1);
  }

  // Completions.

  connected(result: number): void {
    this.clear(connecting);
    if (this.is(relay.closing)) return this.closeIfIdle();
    this.#outcome(-result);
  }

  /** 0, or the error's number. */
  connectedUnix(errno: number): void {
    this.#tellOutcome(errno);
  }

  received(result: number, flags: number): void {
    if ((flags & kernel.IORING_CQE_F_MORE) === 0) this.clear(receiving);
    if ((flags & kernel.IORING_CQE_F_BUFFER) !== 0) {
      this.#take(flags >>> kernel.IORING_CQE_BUFFER_SHIFT, result);
    }
    if (this.is(relay.closing)) return this.closeIfIdle();
    if (result > 0) return this.is(receiving) ? undefined : this.read();
    if (result === 0) this.#finCame();
    else this.#receiveFailed(-result);
  }

  sent(result: number): void {
    const { queue } = this;
    const { buffers } = this.context;
    assert(queue !== undefined, 'What is being sent stays in its queue');
    this.clear(sending);
    const length = buffers.lengths[queue.first] ?? 0;
    queue.drop(buffers);
    if (queue.isEmpty) this.queue = this.#emptied(queue);
    if (result > 0) this.#countSent(result);
    if (this.is(relay.closing)) return this.closeIfIdle();
    if (result !== length) return relay.writeFailed<Link>(this, this.#wasReset(result));
    this.#sendQueue();
    relay.sent<Link>(this);
  }

  cancelled(): void {
    this.clear(cancelling);
    if (this.is(relay.closing)) this.closeIfIdle();
    else this.read();
  }

  /** The peer of a link that is not read has reset or finished. */
  watched(result: number): void {
    this.clear(watching);
    if (this.is(relay.closing)) return this.closeIfIdle();
    if (result > 0 && (result & kernel.POLLERR) !== 0) return this.#broken();
    if (result <= 0 || this.partner !== undefined || this.is(receiving | relay.finReceived)) return;
    if (this.context.sockets.next(this.fd) === 'fin') return this.#finCame();
    // Bytes lie before its FIN. It is looked after once these were read, or now for RST alone; a peer that has closed
    // a unix socket has nothing further to tell.
    this.marks |= leavingSeen;
    if (!this.is(isUnix)) this.watch(0);
  }

  /** The peer of a link that is not read has reset, or closed a unix socket and left bytes unread. */
  #broken(): void {
    if (this.partner === undefined || this.context.sockets.next(this.fd) !== 'bytes')
      return this.#readFailed();
    // What it has sent before is its partner's. That of a unix socket can wait until there is room for it.
    this.marks |= leavingSeen;
    if (this.#isDrained) this.read();
  }

  resumeWaiting(): void {
    if (!this.is(waitsForBuffer | waitsForPlenty)) return;
    this.clear(waitsForBuffer | waitsForPlenty);
    this.read();
  }

  #take(id: number, length: number): void {
    const { buffers, turnMs } = this.context;
    const chunk = buffers.take(this.group, id);
    if (length <= 0 || this.is(relay.discarding | relay.closing)) return buffers.giveBack(chunk);
    this.#lastByteMs = turnMs;
    const to = this.partner;
    if (to === undefined) return this.#hold(chunk, length);
    this.judgePace(length);
    if (to.sentBytes === 0 && to.queue === undefined && this.is(isBackend))
      this.context.events.firstByte(this);
    to.#enqueue(chunk, length);
    if (!to.hasRoom) this.stopReceivingMany();
    if (this.#isDrained && (to.queue?.bytes ?? 0) > drainedBytesMax) this.#readFailed();
  }

  #enqueue(chunk: number, length: number): void {
    this.queue ??= this.context.queues.take();
    this.queue.append(chunk, length, this.context.buffers);
    if (!this.is(sending)) this.#sendQueue();
  }

  #hold(chunk: number, length: number): void {
    this.held ??= this.context.queues.take();
    this.held.hold(chunk, length, this.context.buffers);
    this.#show();
    if (!this.is(relay.closing) && !relay.mayRead<Link>(this)) this.stopReceivingMany();
  }

  /** Answers the core's question, if there is one and the bytes to do so. */
  #show(): void {
    const { held } = this;
    if (held === undefined) return;
    const bytes = this.#inspection?.answer(held, this.context.buffers);
    if (bytes !== undefined) this.context.events.received(this, bytes);
  }

  /** Many at once from the beginning, so that a short connection needs one receive for each link. */
  #receive(): void {
    const group = this.#nextGroup;
    const { buffers, ring } = this.context;
    const isOnce =
      this.held !== undefined || this.is(relay.discarding | streams | leavingSeen) || buffers.areScarce;
    if (isOnce || group !== smallGroup || !ring.limitsReceives) this.receiveOnce(group);
    else this.receiveMany(streamBytesMax);
  }

  /** What its next bytes are received into. */
  get #nextGroup(): Group {
    if (this.is(relay.discarding)) return this.context.buffers.singles;
    const to = this.partner;
    if (to === undefined) return smallGroup;
    const { buffers } = this.context;
    return this.is(streams) && buffers.hasLargeAfter(to.sentBytes) ? largeGroup : buffers.singles;
  }

  #watchLeaving(): void {
    if (this.is(leavingSeen) && this.is(isUnix)) return;
    const asksForFin = this.partner === undefined && !this.is(leavingSeen);
    this.watch(asksForFin ? kernel.POLLRDHUP : 0);
  }

  #finCame(): void {
    if (!this.is(relay.discarding)) this.#show();
    if (this.is(relay.closing)) return;
    const heldBytes = this.held?.bytes ?? 0;
    if (relay.readEnded<Link>(this, 'fin')) this.context.events.halfClosed(this, heldBytes);
  }

  #receiveFailed(errno: number): void {
    switch (errno) {
      case kernel.ECANCELED:
      case kernel.EAGAIN:
      case kernel.EINTR:
        return this.read();
      case kernel.ENOBUFS:
        return this.#findBuffer();
      default:
        return this.#readFailed();
    }
  }

  #readFailed(): void {
    if (this.is(isUnix)) return this.#closedUnread();
    const heldBytes = this.held?.bytes ?? 0;
    if (relay.readEnded<Link>(this, 'reset')) this.context.events.halfClosed(this, heldBytes);
  }

  /** A unix socket knows no RST: its peer has closed and left bytes unread, and what it has sent was read. */
  #closedUnread(): void {
    // A send under way fails by itself.
    if (!this.is(sending)) relay.writeFailed<Link>(this, false);
    if (!this.is(relay.closing)) this.#finCame();
  }

  /** A stream goes on with small ones. Without any the link waits, and its peer is heard to leave. */
  #findBuffer(): void {
    const { buffers } = this.context;
    const { group } = this;
    const isOut = !buffers.grow(group) && buffers.left(group) === 0;
    if (!isOut || this.#nextGroup !== group) return this.read();
    if (this.#isDrained) return this.#readFailed();
    this.marks |= waitsForBuffer;
    this.context.waitForBuffer(this, group);
    this.#watchLeaving();
  }

  /** By RST, not because the peer has closed (EPIPE). Unix sockets know no RST, and TCP that alone in mid-send. */
  #wasReset(result: number): boolean {
    return !this.is(isUnix) && result !== -kernel.EPIPE;
  }

  #countSent(bytes: number): void {
    this.sentBytes += bytes;
    if (this.is(isBackend)) this.context.countBytes(this.listener, this.backend, bytes, 0);
    else this.context.countBytes(this.listener, this.backend, 0, bytes);
  }

  // Events that are due outside of what has brought them about.

  #tellSoon(what: number): void {
    if (!this.is(due)) this.context.tellSoon(this);
    this.marks |= what;
  }

  #tellOutcome(errno: number): void {
    this.#errno = errno;
    this.#tellSoon(outcomeDue);
  }

  tell(): void {
    const { marks } = this;
    this.clear(due);
    if ((marks & closedDue) !== 0) return this.#over('closed');
    if (this.is(relay.closing)) return;
    if ((marks & outcomeDue) !== 0) this.#outcome(this.#errno);
    else if ((marks & tlsFailedDue) !== 0) this.context.events.tlsFailed(this);
    else if (this.#isHeld) this.#show();
  }

  #outcome(errno: number): void {
    if (errno !== 0) {
      this.#errno = errno;
      return this.#over('connect-failed');
    }
    this.clear(relay.dialing);
    this.context.events.connected(this);
    if (this.is(inUse) && !this.is(relay.closing)) this.read();
  }

  protected close(): void {
    relay.closed<Link>(this);
    this.#tellSoon(closedDue);
    this.#free();
  }

  #free(): void {
    this.queue = this.#emptied(this.queue);
    this.held = this.#emptied(this.held);
    this.#inspection = undefined;
    if (this.fd >= 0) this.context.sockets.close(this.fd);
    this.fd = -1;
    this.context.descriptorFreed();
  }

  /** Its last event. It is the next link of its number before that is handled. */
  #over(kind: 'closed' | 'connect-failed'): void {
    const { context, end, sentBytes } = this;
    const errno = this.#errno;
    if (kind === 'connect-failed') this.#free();
    // It may have been joined since it was closed.
    relay.closed<Link>(this);
    this.marks = 0;
    this.end = undefined;
    this.sentBytes = 0;
    context.release(this);
    if (kind === 'closed') return context.events.closed(this, end ?? 'closed', sentBytes);
    const code = getSystemErrorName(-errno);
    context.events.connectFailed(this, dialFailure(code), code);
  }

  #emptied(queue: ByteQueue | undefined): undefined {
    if (queue === undefined) return;
    queue.clear(this.context.buffers);
    this.context.queues.giveBack(queue);
  }
}

const notRead = receiving | cancelling | waitsForBuffer | relay.dialing | relay.finReceived | relay.closing;
const notHeld = refused | relay.dialing | relay.discarding | relay.closing;
