/**
 * A connection over a `net.Socket`, or with TLS over the one that takes its place. What FIN, RST, close and
 * back-pressure mean is in `../relay.ts`, how a socket of Node writes and closes in `link-socket.ts`; here is what the
 * core's commands and the peer's bytes do.
 */
import type { Socket } from 'node:net';
import type {
  Address,
  BackendSlot,
  LinkEnd,
  LinkEvent,
  LinkId,
  ListenerSlot,
  TlsSession,
} from '../../core/contract.ts';
import { dialFailure, isExhaustion } from '../dial-failure.ts';
import type { DriverEvent, DriverHost } from '../driver.ts';
import * as relay from '../relay.ts';
import { closing, dialing, discarding, finReceived, resetSeen, writeBroken } from '../relay.ts';
import { heldBytesMax } from '../shared.ts';
import type { StartTls, TlsEngine, TlsLink } from '../tls/engine.ts';
import { Dial } from './dial.ts';
import { HeldBytes } from './held-bytes.ts';
import { firstLinkMark, isUnix, LinkSocket, type PortableSocketContext } from './link-socket.ts';
import { connect, own, type ReadCallback, readByEvent } from './sockets.ts';

/** What a link needs of its driver. */
export interface PortableLinkContext extends PortableSocketContext, Pick<DriverHost, 'now' | 'countBytes'> {
  readonly tls: TlsEngine<Socket>;
  emit(event: DriverEvent): void;
  /** The system has said so. */
  outOfDescriptors(): void;
  /** The link is closed, and this its last event: then its number is free. */
  closed(link: PortableLink, last: LinkEvent): void;
}

/** A handshake is under way; it has failed. */
const securing = firstLinkMark;
const refused = firstLinkMark << 1;
/** Not reading. */
const paused = firstLinkMark << 2;

export class PortableLink extends LinkSocket implements relay.Link<PortableLink>, TlsLink {
  end: LinkEnd | undefined;
  partner: PortableLink | undefined;
  lastByteMs: number;
  protected readonly context: PortableLinkContext;
  /** Bytes are counted for these: the listener of the client's link, and the backend, once joined. */
  #listener: ListenerSlot;
  #backend: BackendSlot = 0;
  /** What has come of it while it was not joined; undefined where that is nothing. */
  #held: HeldBytes | undefined;
  /** What the core has seen of the held bytes; without a question, more than there can be. */
  #beyond = Number.POSITIVE_INFINITY;
  /** What its stream is read into. */
  #large: Buffer | undefined;
  #dial: Dial | undefined;

  constructor(id: LinkId, listener: ListenerSlot, context: PortableLinkContext) {
    super(id);
    this.#listener = listener;
    this.context = context;
    this.lastByteMs = context.now();
  }

  // Commands.

  /** Takes the accepted socket, whose bytes go to `received`. */
  accepted(socket: Socket, overUnix: boolean): void {
    if (overUnix) this.marks |= isUnix;
    own(socket, this);
    this.use(socket);
  }

  connect(address: Address): void {
    this.marks |= 'path' in address ? dialing | isUnix : dialing;
    const { buffers } = this.context;
    this.#dial = new Dial(address, (to) => this.use(connect(to, buffers, this.received, this)));
  }

  /** Answers later, outside of the command that asks. */
  inspect(beyond: number): void {
    this.#beyond = beyond;
    if (this.#heldBytes > beyond) process.nextTick(() => this.#answer());
  }

  discard(bytes: number): void {
    this.#held?.drop(bytes);
    this.read();
  }

  send(bytes: Uint8Array): void {
    this.#withdraw();
    // The bytes are the core's, and the socket keeps them until they are sent.
    this.write(Buffer.from(bytes), 0);
  }

  startTls(command: StartTls): void {
    const { socket } = this;
    if (socket === undefined) return;
    this.#withdraw();
    this.marks |= securing;
    if (this.is(finReceived)) return this.#leaveHandshake();
    const handshake = this.context.tls.handshake(command);
    if (handshake === undefined) {
      process.nextTick(() => this.tlsFailed('the key or a certificate is none'));
      return;
    }
    if (command.as === 'client' && command.first !== undefined) this.write(Buffer.from(command.first), 0);
    this.useOver(socket, () => handshake.begin(socket, this.#takeHeld(), this));
  }

  joinBackend(backend: PortableLink, slot: BackendSlot, first: Uint8Array | undefined): void {
    this.#withdraw();
    backend.#withdraw();
    backend.#listener = this.#listener;
    this.#backend = slot;
    backend.#backend = slot;
    // A write may fail at once, and what the peer has answered then is its partner's.
    this.partner = backend;
    backend.partner = this;
    this.lastByteMs = this.context.now();
    backend.lastByteMs = this.lastByteMs;
    const fromClient = this.#takeHeld();
    const fromBackend = backend.#takeHeld();
    const toBackend = first === undefined ? fromClient : Buffer.concat([first, fromClient]);
    if (toBackend.length > 0) backend.write(toBackend, fromClient.length);
    if (fromBackend.length > 0) this.write(fromBackend, fromBackend.length);
    backend.freeOnceWritten(fromClient);
    this.freeOnceWritten(fromBackend);
    relay.join<PortableLink>(this, backend);
  }

  close(how: 'fin' | 'reset'): void {
    if (this.is(closing) && how === 'fin') return;
    this.#withdraw();
    // A connection that is not there yet can't finish.
    relay.close<PortableLink>(this, this.is(dialing) ? 'reset' : how);
  }

  #withdraw(): void {
    this.#beyond = Number.POSITIVE_INFINITY;
  }

  // What comes of the peer.

  readonly received: ReadCallback = (length, buffer) => {
    if (!this.is(discarding | closing)) {
      const to = this.partner;
      this.lastByteMs = this.context.now();
      if (to === undefined) this.#hold(length === buffer.length ? buffer : buffer.subarray(0, length));
      else {
        to.lastByteMs = this.lastByteMs;
        if (to.partnerBytes === 0 && this.id % 2 === 1)
          this.context.emit({ kind: 'first-byte', link: this.id });
        this.#pass(to, length, buffer);
      }
    }
    const goesOn = relay.mayRead<PortableLink>(this);
    if (goesOn) this.read();
    else this.#notePause();
    return goesOn;
  };

  #hold(bytes: Uint8Array): void {
    this.#held ??= new HeldBytes(this.context.memory);
    this.#held.append(bytes);
    this.#answer();
  }

  /** Answers the question, if there is one and the bytes to do so. */
  #answer(): void {
    if (this.#held === undefined || this.#held.length <= this.#beyond) return;
    this.#withdraw();
    this.context.emit({ kind: 'received', link: this.id, bytes: this.#held.view });
  }

  #takeHeld(): Buffer {
    const held = this.#held?.take() ?? nothing;
    this.#held = undefined;
    return held;
  }

  #pass(to: PortableLink, length: number, buffer: Uint8Array): void {
    const { buffers } = this.context;
    if (buffers.isShared(buffer)) {
      to.write(buffers.copy(length), length);
      if (to.isSending) buffers.keepCopy(length);
      if (length < buffers.shared.length || to.transport !== undefined) return;
      this.#large = buffers.borrow();
      if (this.#large !== undefined) buffers.readNextInto(this.#large);
      return;
    }
    to.write(length === buffer.length ? buffer : buffer.subarray(0, length), length);
    if (buffer !== this.#large) return;
    if (length === buffer.length) buffers.readNextInto(this.#large);
    else this.#returnLarge();
  }

  #returnLarge(): void {
    const large = this.#large;
    if (large === undefined) return;
    this.#large = undefined;
    if (this.partner === undefined) this.context.buffers.giveBack(large);
    else this.partner.giveBackOnceWritten(large);
  }

  readEnded(): void {
    if (this.is(securing)) return this.#leaveHandshake();
    if (this.is(closing)) return;
    if (!this.is(writeBroken) && this.wasReset()) this.marks |= writeBroken | resetSeen;
    this.#answer();
    this.#readEnded('fin');
  }

  #readEnded(how: 'fin' | 'reset'): void {
    if (!relay.readEnded<PortableLink>(this, how)) return;
    this.context.emit({ kind: 'half-closed', link: this.id, heldBytes: this.#heldBytes });
  }

  failed(error: NodeJS.ErrnoException): void {
    if (this.is(closing)) return;
    if (!this.is(dialing)) return this.is(isUnix) ? this.#closedUnread() : this.#readEnded('reset');
    const { code = 'UNKNOWN' } = error;
    this.#dial?.failed(code);
    if (isExhaustion(code)) this.context.outOfDescriptors();
  }

  /** The peer of a unix socket has closed and left bytes unread, and what it has sent was read. */
  #closedUnread(): void {
    this.end ??= 'closed-early';
    relay.writeFailed<PortableLink>(this, false);
    if (!this.is(closing)) this.#readEnded('fin');
  }

  connected(): void {
    if (!this.is(dialing) || this.is(closing)) return;
    this.marks &= ~dialing;
    this.#dial = undefined;
    // The socket is read from right after this, unless the answer has paused it.
    this.context.emit({ kind: 'connected', link: this.id });
  }

  get isInHandshake(): boolean {
    return this.is(securing) && !this.is(closing);
  }

  certificateShown(notAfterMs: number): void {
    if (this.isInHandshake) this.context.emit({ kind: 'certificate-shown', link: this.id, notAfterMs });
  }

  tlsEstablished(tls: TlsSession): void {
    this.marks &= ~(securing | paused);
    if (this.socket !== undefined) readByEvent(this.socket, this.received);
    this.context.emit({ kind: 'tls-established', link: this.id, tls });
  }

  /** The socket is not closed until that is commanded, and read until FIN comes. */
  tlsFailed(detail: string): void {
    if (!this.isInHandshake) return;
    this.marks = (this.marks & ~securing) | refused;
    if (this.transport !== undefined) this.socket?.resume();
    this.context.emit({ kind: 'tls-failed', link: this.id, detail });
  }

  /** A peer that finishes in its handshake can't be secured any more. */
  #leaveHandshake(): void {
    this.end ??= this.wasReset() ? 'reset-by-peer' : 'finished';
    this.closeWhenIdle('fin');
  }

  // What relay.ts asks, beside what a socket answers.

  get mayHold(): boolean {
    const bytes = this.#heldBytes;
    return bytes === 0 || (bytes < heldBytesMax && !this.context.memory.isScarce);
  }

  read(): void {
    if (!relay.mayRead<PortableLink>(this)) {
      if (!this.is(paused)) this.socket?.pause();
      this.#notePause();
    } else if (this.is(paused)) {
      this.marks &= ~paused;
      this.socket?.resume();
    }
  }

  #notePause(): void {
    this.marks |= paused;
    if (this.partner === undefined) this.context.memory.wakeWhenAmple(this);
  }

  finFollows(): void {}

  /** What it has queued comes to nothing by itself once a write has failed. */
  dropQueue(): void {}

  override closeWhenIdle(how: 'fin' | 'reset'): void {
    this.#dial?.cancel();
    super.closeWhenIdle(how);
  }

  // What its socket tells.

  protected sent(): void {
    relay.sent<PortableLink>(this);
  }

  protected count(bytes: number): void {
    if (this.id % 2 === 0) this.context.countBytes(this.#listener, this.#backend, 0, bytes);
    else this.context.countBytes(this.#listener, this.#backend, bytes, 0);
  }

  protected writeFailed(): void {
    relay.writeFailed<PortableLink>(this, this.is(resetSeen));
    // In Node before 26 its reset may have been taken for FIN before.
    if (this.is(finReceived) && this.is(resetSeen)) relay.readEnded<PortableLink>(this, 'reset');
  }

  protected allClosed(): void {
    if (this.is(dialing) && !this.is(closing) && this.#dial?.failure === undefined)
      return this.#dial?.connectLater();
    if (!this.is(dialing) && this.end === undefined) relay.readEnded<PortableLink>(this, 'reset');
    this.marks |= closing;
    this.#returnLarge();
    this.forgetWrites();
    this.#held?.free();
    this.#held = undefined;
    relay.closed<PortableLink>(this);
    this.context.closed(this, this.#lastEvent);
  }

  get #lastEvent(): LinkEvent {
    const { id: link, end = 'finished', sentBytes } = this;
    const code = this.#dial?.failure;
    if (code === undefined) return { kind: 'closed', link, end, sentBytes };
    return { kind: 'connect-failed', link, why: dialFailure(code), detail: code };
  }

  /** Held of it, or queued for its peer. */
  get waitingBytes(): number {
    return this.#heldBytes + this.queuedBytes;
  }

  get #heldBytes(): number {
    return this.#held?.length ?? 0;
  }
}

const nothing = Buffer.alloc(0);
