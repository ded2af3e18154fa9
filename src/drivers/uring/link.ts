/**
 * One connection, accepted or dialed, kept for the next one of its number. Here is what the core's commands do to it
 * and how its life goes on. The layers below it, from the kernel up:
 *
 *     ring-socket.ts     its descriptor, and the operations under way on it
 *     buffered-link.ts   its bytes that wait: held of it, and queued for its peer
 *     receiving-link.ts  what comes from its peer: bytes, FIN and RST
 *     secured-link.ts    its handshake, and what is sent beside the bytes of its partner
 *
 * What FIN, RST, close and back-pressure mean for two joined links is in `relay.ts`.
 */
import { getSystemErrorName } from 'node:util';
import type { Address, BackendSlot, CloseHow, LinkEnd, ListenerSlot } from '../../core/contract.ts';
import { dialFailure } from '../dial-failure.ts';
import * as relay from '../relay.ts';
import { isBackend } from './buffered-link.ts';
import type { Descriptors } from './descriptors.ts';
import type { DueEvents } from './due-events.ts';
import { connecting, inUse, isUnix } from './ring-socket.ts';
import { firstUringMark, SecuredLink, type SecuredLinkContext, tlsFailedDue } from './secured-link.ts';

/** What a link needs of the driver. */
export interface UringLinkContext extends SecuredLinkContext {
  readonly dueEvents: DueEvents;
  readonly descriptors: Descriptors;
  /** Has `connectedUnix` called with what has become of the dial, once that is known. */
  dialUnix(link: UringLink, sockaddr: Uint8Array): void;
  /** A dial over TCP has begun. */
  dialedTcp(link: UringLink): void;
  /** Its number may be given to the next one. */
  release(link: UringLink): void;
}

/** Events that are due. */
const outcomeDue = firstUringMark;
const shownDue = firstUringMark << 1;
const closedDue = firstUringMark << 2;
const due = outcomeDue | shownDue | tlsFailedDue | closedDue;

export class UringLink extends SecuredLink {
  end: LinkEnd | undefined;
  partner: UringLink | undefined;
  protected readonly context: UringLinkContext;

  constructor(id: number, context: UringLinkContext) {
    super(id);
    this.context = context;
  }

  /** The client's end of a connection that was accepted. */
  accepted(fd: number, listener: ListenerSlot, overUnix: boolean): void {
    this.fd = fd;
    this.listener = listener;
    this.cameMs = this.context.turnMs;
    if (overUnix) this.marks |= isUnix;
  }

  // Commands.

  connect(address: Address): void {
    const { sockets } = this.context;
    const sockaddr = sockets.encode(address);
    this.marks |= relay.dialing;
    this.cameMs = this.context.turnMs;
    const fd = this.context.descriptors.open(sockaddr);
    if (fd < 0) return this.tellOutcome(-fd);
    this.fd = fd;
    if (!('path' in address)) {
      this.context.dialedTcp(this);
      return this.connectTo(sockaddr);
    }
    this.marks |= isUnix;
    this.context.dialUnix(this, sockaddr);
  }

  inspect(beyond: number): void {
    if (this.isHeld && this.ask(beyond)) this.tellSoon(shownDue);
  }

  discard(bytes: number): void {
    if (!this.isHeld) return;
    this.discardHeld(bytes);
    this.read();
  }

  send(bytes: Uint8Array): void {
    if (!this.isHeld) return;
    this.withdrawQuestion();
    const errno = this.sendOwn(bytes, false);
    if (errno !== 0) relay.writeFailed<UringLink>(this, this.wasReset(-errno));
  }

  /** What is held of each goes out to the other, uncopied, and then what comes. */
  join(backend: UringLink, slot: BackendSlot, first: Uint8Array | undefined): void {
    // RST has come for one of them, which the core did not know yet: both are reset. So is who meets broken TLS.
    if (this.end !== undefined || backend.end !== undefined) return relay.join<UringLink>(this, backend);
    if (!this.isHeld || !backend.isHeld) return;
    backend.listener = this.listener;
    this.backend = slot;
    backend.backend = slot;
    backend.marks |= isBackend;
    this.queueHeldOf(backend);
    backend.queueHeldOf(this);
    this.readAnew();
    backend.readAnew();
    const errno = first === undefined ? 0 : backend.sendOwn(first, backend.queue !== undefined);
    if (errno === 0) backend.sendQueue();
    this.sendQueue();
    relay.join<UringLink>(this, backend);
    if (errno !== 0) relay.writeFailed<UringLink>(backend, backend.wasReset(-errno));
  }

  closeBy(how: CloseHow): void {
    this.withdrawQuestion();
    if (this.fd >= 0) relay.close<UringLink>(this, how);
    else this.tellSoon(closedDue);
  }

  // Completions of what was begun here.

  connected(result: number): void {
    this.clear(connecting);
    if (this.is(relay.closing)) return this.closeIfIdle();
    this.outcome(-result);
  }

  /** 0, or the error's number. */
  connectedUnix(errno: number): void {
    this.tellOutcome(errno);
  }

  sent(result: number): void {
    const isTaken = this.dropSent(result);
    if (this.is(relay.closing)) return this.closeIfIdle();
    if (!isTaken) return relay.writeFailed<UringLink>(this, this.wasReset(result));
    this.sendQueue();
    if (this.secure !== undefined) this.sentSealed(this.secure);
    relay.sent<UringLink>(this);
  }

  // Events that are due outside of what has brought them about.

  protected tellSoon(what: number): void {
    if (!this.is(due)) this.context.dueEvents.add(this);
    this.marks |= what;
  }

  /** Of a dial: nothing else can be due before. */
  private tellOutcome(errno: number): void {
    this.context.dueEvents.add(this, errno);
    this.marks |= outcomeDue;
  }

  tell(errno: number): void {
    const { marks } = this;
    this.clear(due);
    if ((marks & closedDue) !== 0) return this.over();
    if (this.is(relay.closing)) return;
    if ((marks & outcomeDue) !== 0) this.outcome(errno);
    else if ((marks & tlsFailedDue) !== 0) this.context.events.tlsFailed(this, this.context.tlsObstacle);
    else if (this.isHeld) this.show();
  }

  private outcome(errno: number): void {
    if (errno !== 0) return this.failed(errno);
    this.clear(relay.dialing);
    this.context.events.connected(this);
    if (this.is(inUse) && !this.is(relay.closing)) this.read();
  }

  // Its end.

  protected close(): void {
    this.leavePartner();
    this.tellSoon(closedDue);
    this.free();
  }

  /** Which is silent since the last byte of both. */
  private leavePartner(): void {
    if (this.partner !== undefined) this.partner.cameMs = this.lastByteMs;
    relay.closed<UringLink>(this);
  }

  private free(): void {
    this.dropAll();
    if (this.fd < 0) return this.context.descriptors.freed();
    this.context.descriptors.close(this.fd);
    this.fd = -1;
  }

  // Its last event. It is the next link of its number before that is handled.

  private failed(errno: number): void {
    const code = getSystemErrorName(-errno);
    this.free();
    this.release();
    this.context.events.connectFailed(this, dialFailure(code), code);
  }

  private over(): void {
    const { end, sentBytes } = this;
    this.release();
    this.context.events.closed(this, end ?? 'closed', sentBytes);
  }

  private release(): void {
    // It may have been joined since it was closed.
    this.leavePartner();
    this.marks = 0;
    this.end = undefined;
    this.sentBytes = 0;
    this.context.release(this);
  }
}
