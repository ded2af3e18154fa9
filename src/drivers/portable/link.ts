/**
 * A connection over a `net.Socket`, or with TLS over the one that takes its place: what the core's commands do to it,
 * its handshakes, and its end. Below it are what comes from its peer (`reading-link.ts`) and how a socket of Node
 * writes and closes (`link-socket.ts`). What FIN, RST, close and back-pressure mean is in `../relay.ts`.
 */
import type { Socket } from 'node:net';
import type {
  Address,
  BackendSlot,
  CloseHow,
  LinkEnd,
  LinkEvent,
  LinkId,
  ListenerSlot,
  TlsSession,
} from '../../core/contract.ts';
import { isOfDescriptors } from '../../core/exhaustion.ts';
import { dialFailure } from '../dial-failure.ts';
import type { DriverHost } from '../driver.ts';
import * as relay from '../relay.ts';
import { closing, dialing, finReceived, resetSeen } from '../relay.ts';
import type { StartTls, TlsEngine, TlsLink } from '../tls/engine.ts';
import { Dial } from './dial.ts';
import { isUnix } from './link-socket.ts';
import { firstPortableMark, paused, ReadingLink, type ReadingLinkContext } from './reading-link.ts';
import { connect, own, readByEvent } from './sockets.ts';

/** What a link needs of its driver. */
export interface PortableLinkContext extends ReadingLinkContext, Pick<DriverHost, 'countBytes'> {
  readonly tls: TlsEngine<Socket>;
  /** The system has said so. */
  outOfDescriptors(): void;
  /** The link is closed, and this its last event: then its number is free. */
  closed(link: PortableLink, last: LinkEvent): void;
}

/** A handshake is under way; it has failed. */
const handshaking = firstPortableMark;
const refused = firstPortableMark << 1;

export class PortableLink extends ReadingLink implements TlsLink {
  end: LinkEnd | undefined;
  partner: PortableLink | undefined;
  protected readonly context: PortableLinkContext;
  /** Bytes are counted for these: the listener of the client's link, and the backend, once joined. */
  #listener: ListenerSlot;
  #backend: BackendSlot = 0;
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
    this.#dial = new Dial(address);
    this.#connectTo(address);
  }

  #connectTo(address: Address): void {
    this.use(connect(address, this.context.buffers, this.received, this));
  }

  send(bytes: Uint8Array): void {
    this.withdrawQuestion();
    // The bytes are the core's, and the socket keeps them until they are sent.
    this.write(Buffer.from(bytes), 0);
  }

  startTls(command: StartTls): void {
    const { socket } = this;
    if (socket === undefined) return;
    this.withdrawQuestion();
    this.marks |= handshaking;
    if (this.is(finReceived)) return this.#leaveHandshake();
    const handshake = this.context.tls.handshake(command);
    if (handshake === undefined) {
      process.nextTick(() => this.tlsFailed('the key or a certificate is none'));
      return;
    }
    if (command.as === 'client' && command.first !== undefined) this.write(Buffer.from(command.first), 0);
    this.useOver(socket, () => handshake.begin(socket, this.takeHeld(), this));
  }

  joinBackend(backend: PortableLink, slot: BackendSlot, first: Uint8Array | undefined): void {
    this.withdrawQuestion();
    backend.withdrawQuestion();
    backend.#listener = this.#listener;
    this.#backend = slot;
    backend.#backend = slot;
    // A write may fail at once, and what the peer has answered then is its partner's.
    this.partner = backend;
    backend.partner = this;
    this.lastByteMs = this.context.now();
    backend.lastByteMs = this.lastByteMs;
    const fromClient = this.takeHeld();
    const fromBackend = backend.takeHeld();
    const toBackend = first === undefined ? fromClient : Buffer.concat([first, fromClient]);
    if (toBackend.length > 0) backend.write(toBackend, fromClient.length);
    if (fromBackend.length > 0) this.write(fromBackend, fromBackend.length);
    backend.freeOnceWritten(fromClient);
    this.freeOnceWritten(fromBackend);
    relay.join<PortableLink>(this, backend);
  }

  close(how: CloseHow): void {
    if (this.is(closing) && how === 'fin') return;
    this.withdrawQuestion();
    // A connection that is not there yet can't finish.
    relay.close<PortableLink>(this, this.is(dialing) ? 'reset' : how);
  }

  override readEnded(): void {
    if (this.is(handshaking)) this.#leaveHandshake();
    else super.readEnded();
  }

  failed(error: NodeJS.ErrnoException): void {
    if (this.is(closing)) return;
    if (!this.is(dialing)) return this.readFailed();
    const { code = 'UNKNOWN' } = error;
    this.#dial?.failed(code);
    if (isOfDescriptors(code)) this.context.outOfDescriptors();
  }

  connected(): void {
    if (!this.is(dialing) || this.is(closing)) return;
    this.marks &= ~dialing;
    this.#dial = undefined;
    // The socket is read from right after this, unless the answer has paused it.
    this.context.emit({ kind: 'connected', link: this.id });
  }

  get isInHandshake(): boolean {
    return this.is(handshaking) && !this.is(closing);
  }

  certificateShown(notAfterMs: number): void {
    if (this.isInHandshake) this.context.emit({ kind: 'certificate-shown', link: this.id, notAfterMs });
  }

  tlsEstablished(tls: TlsSession): void {
    this.marks &= ~(handshaking | paused);
    if (this.socket !== undefined) readByEvent(this.socket, this.received);
    this.context.emit({ kind: 'tls-established', link: this.id, tls });
  }

  /** The socket is not closed until that is commanded, and read until FIN comes. */
  tlsFailed(detail: string): void {
    if (!this.isInHandshake) return;
    this.marks = (this.marks & ~handshaking) | refused;
    if (this.transport !== undefined) this.socket?.resume();
    this.context.emit({ kind: 'tls-failed', link: this.id, detail });
  }

  tlsBroken(): void {
    if (!this.is(closing)) relay.broken<PortableLink>(this);
  }

  /** A peer that finishes in its handshake can't be secured any more. */
  #leaveHandshake(): void {
    this.end ??= this.wasReset() ? 'reset-by-peer' : 'finished';
    this.closeWhenIdle('fin');
  }

  override closeWhenIdle(how: CloseHow): void {
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
    const dial = this.#dial;
    if (dial !== undefined && dial.failure === undefined && !this.is(closing))
      return dial.connectLater(() => this.#connectTo(dial.address));
    if (!this.is(dialing) && this.end === undefined) relay.readEnded<PortableLink>(this, 'reset');
    this.marks |= closing;
    this.dropRead();
    this.forgetWrites();
    relay.closed<PortableLink>(this);
    this.context.closed(this, this.#lastEvent);
  }

  get #lastEvent(): LinkEvent {
    const { id: link, end = 'finished', sentBytes } = this;
    const code = this.#dial?.failure;
    if (code === undefined) return { kind: 'closed', link, end, sentBytes };
    return { kind: 'connect-failed', link, why: dialFailure(code), detail: code };
  }
}
