/**
 * What comes from a link's peer: bytes, FIN and RST. A link that is not read has its peer watched, which may leave.
 *
 *     bytes ─▶ opened with TLS (`tls-channel.ts`) ─▶ held until it is joined, then queued for its partner
 *     FIN, RST ─▶ `relay.ts`, behind the bytes before them
 */
import * as relay from '../relay.ts';
import {
  BufferedLink,
  type BufferedLinkContext,
  firstReceivingMark,
  isBackend,
  refused,
  streamBytesMax,
} from './buffered-link.ts';
import { type Group, largeGroup, smallGroup } from './buffers.ts';
import type { HandshakeTurns } from './handshake-turns.ts';
import * as kernel from './kernel.ts';
import type { LinkEvents } from './link-events.ts';
import { cancelling, isUnix, receiving, sending, streams, watching } from './ring-socket.ts';
import { noChunk, type TlsChannel } from './tls-channel.ts';
import type { WaitingLinks } from './waiting-links.ts';

export interface ReceivingLinkContext extends BufferedLinkContext {
  readonly events: LinkEvents;
  readonly handshakes: HandshakeTurns;
  readonly waiting: WaitingLinks;
}

const waitsForBuffer = firstReceivingMark;
const waitsForPlenty = firstReceivingMark << 1;
/** Its peer was seen to leave while bytes of it wait in the kernel; of a joined link by RST, or from a unix socket. */
const leavingSeen = firstReceivingMark << 2;
export const firstSecuredMark = firstReceivingMark << 3;
const notRead = receiving | cancelling | waitsForBuffer | relay.dialing | relay.finReceived | relay.closing;

/**
 * Bytes that are read after a peer's reset, at most, for a partner that does not take them: what a kernel holds as a
 * rule.
 */
const drainedBytesMax = 1024 * 1024;

export abstract class ReceivingLink extends BufferedLink implements relay.Link<ReceivingLink> {
  protected abstract override readonly context: ReceivingLinkContext;
  abstract override partner: ReceivingLink | undefined;
  abstract sendFin(): void;

  read(): void {
    if (this.is(notRead) || this.secure?.isClogged === true) return;
    if (relay.mayRead<ReceivingLink>(this) || this.isDrained()) return this.receive();
    if (this.holdsLessThanItMay && !this.is(waitsForPlenty)) {
      this.marks |= waitsForPlenty;
      this.context.waiting.addForPlenty(this);
    }
    this.watchLeaving();
  }

  /**
   * Its peer has reset: what it sent before is read whether there is room or not, for the kernel tells no further end.
   */
  private isDrained(): boolean {
    return this.is(leavingSeen) && this.partner !== undefined && !this.is(isUnix);
  }

  /** Many at once from the beginning, so that a short connection needs one receive for each link. */
  private receive(): void {
    const group = this.nextGroup();
    const { buffers, ring } = this.context;
    const isOnce =
      this.held !== undefined || this.is(relay.discarding | streams | leavingSeen) || buffers.areScarce;
    if (isOnce || group !== smallGroup || !ring.limitsReceives) this.receiveOnce(group);
    else this.receiveMany(streamBytesMax);
  }

  /** What its next bytes are received into. */
  private nextGroup(): Group {
    if (this.is(relay.discarding)) return this.context.buffers.singles;
    const to = this.partner;
    if (to === undefined) return smallGroup;
    const { buffers } = this.context;
    return this.is(streams) && buffers.hasLargeAfter(to.sentBytes) ? largeGroup : buffers.singles;
  }

  /** It is joined now, and what it held is its partner's. */
  protected readAnew(): void {
    this.clear(waitsForBuffer | leavingSeen);
  }

  resumeWaiting(): void {
    if (!this.is(waitsForBuffer | waitsForPlenty)) return;
    this.clear(waitsForBuffer | waitsForPlenty);
    if (this.secure?.isEstablished === true) this.openIncoming(this.secure);
    this.read();
  }

  // Completions.

  received(result: number, flags: number): void {
    if ((flags & kernel.IORING_CQE_F_MORE) === 0) this.clear(receiving);
    if ((flags & kernel.IORING_CQE_F_BUFFER) !== 0) {
      this.take(flags >>> kernel.IORING_CQE_BUFFER_SHIFT, result);
    }
    if (this.is(relay.closing)) return this.closeIfIdle();
    if (result > 0) return this.is(receiving) ? undefined : this.read();
    if (result === 0) this.finCame();
    else this.receiveFailed(-result);
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
    if (result > 0 && (result & kernel.POLLERR) !== 0) return this.broken();
    if (result <= 0 || this.partner !== undefined || this.is(receiving | relay.finReceived)) return;
    if (this.context.sockets.next(this.fd) === 'fin') return this.finCame();
    // Bytes lie before its FIN. It is looked after once these were read, or now for RST alone; a peer that has closed
    // a unix socket has nothing further to tell.
    this.marks |= leavingSeen;
    if (!this.is(isUnix)) this.watch(0);
  }

  // Bytes.

  private take(id: number, length: number): void {
    const { buffers, turnMs } = this.context;
    const chunk = buffers.take(this.group, id);
    if (length <= 0 || this.is(relay.discarding | relay.closing)) return buffers.giveBack(chunk);
    this.cameMs = turnMs;
    if (this.partner !== undefined) this.judgePace(length);
    if (this.secure === undefined) this.deliver(chunk, length);
    else this.takeSealed(this.secure, chunk, length);
  }

  private takeSealed(secure: TlsChannel, chunk: number, length: number): void {
    if (secure.ending !== 'none' || this.is(refused)) return this.context.buffers.giveBack(chunk);
    secure.keep(chunk, length);
    if (secure.isEstablished) return this.openIncoming(secure);
    this.handshakeGoesOn(secure);
    if (!relay.mayRead<ReceivingLink>(this)) this.stopReceivingMany();
  }

  /** Its handshake takes a step when it has its turn. */
  protected handshakeGoesOn(secure: TlsChannel): void {
    if (secure.hasTurn) return;
    secure.hasTurn = true;
    this.context.handshakes.add(this);
  }

  abstract stepHandshake(): void;

  /** Opens what has come, and does what follows from it. */
  protected openIncoming(secure: TlsChannel): void {
    while (secure.incomingBytes > 0 && !this.is(relay.discarding | relay.closing)) {
      if (!secure.open()) return this.waitForLoan();
      if (!this.deliverOpened(secure)) return;
    }
    if (secure.sealed !== undefined) this.sendQueue();
    if (secure.ending === 'broken') return this.broke(secure);
    if (secure.ending === 'notified' || secure.finCame) this.readFin(secure);
  }

  /** An alert is on its way, unless the peer has sent one, or there was no memory for it. */
  private broke({ sealed }: TlsChannel): void {
    if (sealed === undefined) return this.readEnded('reset');
    this.queue = this.emptied(this.queue);
    relay.broken<ReceivingLink>(this);
  }

  private waitForLoan(): void {
    if (this.is(waitsForBuffer)) return;
    this.marks |= waitsForBuffer;
    this.context.waiting.addForLoan(this);
  }

  /** Returns whether the link goes on. */
  protected deliverOpened(secure: TlsChannel): boolean {
    const { buffers } = this.context;
    for (let chunk = secure.shiftOpened(); chunk !== noChunk; chunk = secure.shiftOpened()) {
      if (this.is(relay.discarding | relay.closing)) buffers.giveBack(chunk);
      else this.deliver(chunk, buffers.lengths[chunk] ?? 0);
    }
    return this.secure === secure && !this.is(relay.closing);
  }

  /** Bytes as the core and the partner get them. */
  private deliver(chunk: number, length: number): void {
    const to = this.partner;
    if (to === undefined) {
      this.hold(chunk, length);
      this.show();
      if (!this.is(relay.closing) && !relay.mayRead<ReceivingLink>(this)) this.stopReceivingMany();
      return;
    }
    if (to.sentBytes === 0 && to.queuedBytes === 0 && this.is(isBackend)) this.context.events.firstByte(this);
    to.enqueue(chunk, length);
    if (!to.hasRoom) this.stopReceivingMany();
    if (this.isDrained() && to.queuedBytes > drainedBytesMax) this.readFailed();
  }

  /** Answers the core's question, if there is one and the bytes to do so. */
  protected show(): void {
    const bytes = this.answer();
    if (bytes !== undefined) this.context.events.received(this, bytes);
  }

  /** A stream goes on with small ones. Without any the link waits, and its peer is watched. */
  private findBuffer(): void {
    const { buffers, waiting } = this.context;
    const { group } = this;
    const isOut = !buffers.grow(group) && buffers.left(group) === 0;
    if (!isOut || this.nextGroup() !== group) return this.read();
    if (this.isDrained()) return this.readFailed();
    this.marks |= waitsForBuffer;
    waiting.addForBuffer(this, group);
    this.watchLeaving();
  }

  // FIN and RST.

  private watchLeaving(): void {
    if (this.is(leavingSeen) && this.is(isUnix)) return;
    const asksForFin = this.partner === undefined && !this.is(leavingSeen);
    this.watch(asksForFin ? kernel.POLLRDHUP : 0);
  }

  private finCame(): void {
    const { secure } = this;
    if (secure !== undefined && !this.is(relay.discarding)) return this.finCameSealed(secure);
    if (!this.is(relay.discarding)) this.show();
    if (!this.is(relay.closing)) this.readEnded('fin');
  }

  /** Behind what waits to be opened. With TLS close_notify is FIN already. */
  private finCameSealed(secure: TlsChannel): void {
    if (secure.finCame || secure.ending !== 'none') return;
    secure.finCame = true;
    if (!secure.isEstablished) this.handshakeGoesOn(secure);
    else if (secure.incomingBytes === 0) this.readFin(secure);
  }

  private readFin(secure: TlsChannel): void {
    if (this.is(relay.finReceived | relay.closing) || secure.incomingBytes > 0) return;
    this.show();
    if (!this.is(relay.closing)) this.readEnded('fin');
  }

  private receiveFailed(errno: number): void {
    switch (errno) {
      case kernel.ECANCELED:
      case kernel.EAGAIN:
      case kernel.EINTR:
        return this.read();
      case kernel.ENOBUFS:
        return this.findBuffer();
      default:
        return this.readFailed();
    }
  }

  /** The peer of a link that is not read has reset, or closed a unix socket and left bytes unread. */
  private broken(): void {
    if (this.partner === undefined || this.context.sockets.next(this.fd) !== 'bytes')
      return this.readFailed();
    // What it has sent before is its partner's. That of a unix socket can wait until there is room for it.
    this.marks |= leavingSeen;
    if (this.isDrained()) this.read();
  }

  private readFailed(): void {
    if (this.is(isUnix)) this.closedUnread();
    else this.readEnded('reset');
  }

  /** A unix socket knows no RST: its peer has closed and left bytes unread, and what it has sent was read. */
  private closedUnread(): void {
    // A send under way fails by itself.
    if (!this.is(sending)) relay.writeFailed<ReceivingLink>(this, false);
    if (!this.is(relay.closing)) this.finCame();
  }

  protected sealingFailed(): void {
    this.readEnded('reset');
  }

  private readEnded(how: 'fin' | 'reset'): void {
    const { heldBytes } = this;
    if (relay.readEnded<ReceivingLink>(this, how)) this.context.events.halfClosed(this, heldBytes);
  }
}
