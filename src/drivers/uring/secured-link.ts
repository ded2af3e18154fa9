/**
 * A link's TLS, but for the bytes of its session, which are opened in `receiving-link.ts` and sealed in
 * `buffered-link.ts`: its handshake, and what is sent to its peer beside the bytes of its partner.
 */
import type { LinkEnd } from '../../core/contract.ts';
import * as relay from '../relay.ts';
import type { StartTls } from '../tls/engine.ts';
import type { TlsConnection } from '../tls/openssl/connection.ts';
import { refused } from './buffered-link.ts';
import * as kernel from './kernel.ts';
import { firstSecuredMark, ReceivingLink, type ReceivingLinkContext } from './receiving-link.ts';
import { isUnix } from './ring-socket.ts';
import { TlsChannel } from './tls-channel.ts';

export interface SecuredLinkContext extends ReceivingLinkContext {
  /** Undefined where the keys and certificates are none, or no engine is to be had. */
  tlsConnection(command: StartTls): TlsConnection | undefined;
  /** Why there was none. */
  readonly tlsObstacle: string;
}

/** No handshake can begin, which is to be told. */
export const tlsFailedDue = firstSecuredMark;
export const firstUringMark = firstSecuredMark << 1;

export abstract class SecuredLink extends ReceivingLink {
  protected abstract override readonly context: SecuredLinkContext;
  abstract override end: LinkEnd | undefined;

  protected abstract tellSoon(what: number): void;

  startTls(command: StartTls): void {
    if (!this.isHeld) return;
    this.withdrawQuestion();
    const { buffers, queues } = this.context;
    const connection = this.context.tlsConnection(command);
    if (connection === undefined) {
      this.marks |= refused;
      return this.tellSoon(tlsFailedDue);
    }
    const errno = command.as === 'client' && command.first ? this.sendNow(command.first, true) : 0;
    this.secure = new TlsChannel(connection, buffers, queues);
    this.secure.keepAll(this.held);
    this.held = undefined;
    this.secure.finCame = this.is(relay.finReceived);
    this.handshakeGoesOn(this.secure);
    if (errno !== 0) relay.writeFailed<ReceivingLink>(this, this.wasReset(-errno));
    else this.read();
  }

  stepHandshake(): void {
    const { secure } = this;
    // It may be over, and its number another connection's.
    if (secure === undefined || !secure.hasTurn) return;
    secure.hasTurn = false;
    if (this.is(refused | relay.discarding | relay.closing)) return;
    const isDone = secure.step();
    this.sendQueue();
    if (isDone) this.established(secure);
    else if (secure.tls.failure !== undefined) this.handshakeFailed(secure, secure.tls.failure);
    else if (secure.finCame) this.leaveHandshake();
    else this.read();
  }

  private established(secure: TlsChannel): void {
    this.tellShown(secure);
    if (this.secure !== secure || this.is(relay.closing)) return;
    this.context.events.tlsEstablished(this, secure.tls.session);
    if (this.secure !== secure || this.is(relay.closing)) return;
    // What came with the end of the handshake: now it is known who gets it, and that it is the backend's first byte.
    if (!this.deliverOpened(secure)) return;
    this.openIncoming(secure);
    if (this.secure === secure) this.read();
  }

  /** The alert is on its way. */
  private handshakeFailed(secure: TlsChannel, detail: string): void {
    this.tellShown(secure);
    if (this.secure !== secure || this.is(relay.closing)) return;
    this.marks |= refused;
    this.context.events.tlsFailed(this, detail);
  }

  private tellShown({ tls }: TlsChannel): void {
    const notAfterMs = tls.shownUntilMs;
    if (notAfterMs !== undefined) this.context.events.certificateShown(this, notAfterMs);
  }

  /** A peer that finishes in its handshake can't be secured any more. */
  private leaveHandshake(): void {
    this.end ??= 'finished';
    this.closeWhenIdle('fin');
  }

  // What is sent beside its partner's bytes.

  /** Bytes of our own, sealed where it speaks TLS. 0, or the error's number where the peer takes no more. */
  protected sendOwn(bytes: Uint8Array, areFollowed: boolean): number {
    const { secure } = this;
    if (secure === undefined) return this.sendNow(bytes, areFollowed);
    const isSealed = secure.sealBytes(bytes);
    this.sendQueue();
    return isSealed ? 0 : kernel.EAGAIN;
  }

  private sendNow(bytes: Uint8Array, areFollowed: boolean): number {
    return this.context.sockets.sendNow(this.fd, bytes, areFollowed);
  }

  sendFin(): void {
    if (this.secure?.isEstablished === true) {
      this.secure.finish();
      this.sendQueue();
      // FIN follows once that is sent.
      if (this.secure.sealed !== undefined) return;
    }
    if (!this.is(relay.finReceived)) this.context.sockets.finish(this.fd);
  }

  protected sentSealed({ isEstablished, sealed }: TlsChannel): void {
    if (sealed !== undefined) return;
    if (isEstablished && this.is(relay.finSent) && !this.is(relay.finReceived))
      this.context.sockets.finish(this.fd);
    this.read();
  }

  /** By RST, not because the peer has closed (EPIPE). Unix sockets know no RST, and TCP that alone in mid-send. */
  protected wasReset(result: number): boolean {
    return !this.is(isUnix) && result !== -kernel.EPIPE;
  }
}
