/**
 * TLS of one connection without a transport: cipher text goes in and plain bytes come out, and the other way round.
 *
 *     fed ─▶ handshake ─▶ … established: fed ─▶ open        what comes out of any call is `outgoing`: taken ─▶ sent
 *                                        seal, finish
 *
 * All connections of a thread share the two BIOs between which OpenSSL works, so that an idle one has none. Therefore
 * whoever feeds one must have all of it opened, and take all that is outgoing, before another is turned to.
 */
import type { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { TlsSession } from '../../../core/contract.ts';
import { hostName } from '../../../core/wire/host-name.ts';
import type { Pointer } from '../../uring/libc.ts';
import { subjectOf } from '../subject.ts';
import type { Bios } from './bios.ts';
import * as ssl from './constants.ts';
import { smallRecordBytes } from './context.ts';
import { certificateProblem, forgetOthersErrors, takeReason } from './failures.ts';
import type { OpenSsl } from './library.ts';
import { readCertificate } from './peer-certificate.ts';

/**
 * What `open` says besides a number of bytes: the peer has sent close_notify, or `failure` says what has gone wrong.
 */
export const closeNotified = -1;
export const failed = -2;

/** What is OpenSSL's of a connection, and whose it is. */
export interface Role {
  readonly isServer: boolean;
  /** What the peer must show: the name of a server, or of a client that it is one. */
  readonly peerName: string | undefined;
  /** The certificate that the handshake has just failed of. */
  refusedCertificate(): X509Certificate | undefined;
  /** Whether it is time to say until when the peer's certificate is good. */
  isLookDue(): boolean;
  /** Called once bytes have come, when tickets of TLS 1.3 have: the session may be kept. */
  keepSession(connection: Pointer): void;
  /** Called where the connection ends before its handshake has: a session that it was to resume may be why. */
  handshakeFailed(): void;
}

export class TlsConnection {
  /** Why the handshake or the stream has failed, for people. */
  failure: string | undefined;
  readonly pointer: Pointer;
  readonly #openSsl: OpenSsl;
  readonly #bios: Bios;
  readonly #role: Role;
  #refused: X509Certificate | undefined;
  #isSessionKept = false;
  #isEstablished = false;
  #recordBytes = smallRecordBytes;
  #isLongDue = false;

  constructor(openSsl: OpenSsl, bios: Bios, pointer: Pointer, role: Role) {
    this.#openSsl = openSsl;
    this.#bios = bios;
    this.#role = role;
    this.pointer = pointer;
    openSsl.BIO_up_ref(bios.incoming);
    openSsl.BIO_up_ref(bios.outgoing);
    openSsl.SSL_set_bio(pointer, bios.incoming, bios.outgoing);
  }

  /** Cipher text that has come. It must stay where it is until `hasUnread` says no. */
  feed(from: Pointer, bytes: number): void {
    forgetOthersErrors(this.#openSsl);
    this.#bios.feed(from, bytes);
  }

  /** Goes on with the handshake as far as that is possible with what was fed. Returns whether it is done. */
  handshake(): boolean {
    const openSsl = this.#openSsl;
    const { pointer } = this;
    const result = this.#role.isServer ? openSsl.SSL_accept(pointer) : openSsl.SSL_connect(pointer);
    if (result === 1) {
      this.#isEstablished = true;
      return true;
    }
    if (openSsl.SSL_get_error(pointer, result) !== ssl.SSL_ERROR_WANT_READ) this.#fail();
    return false;
  }

  /**
   * Plain bytes that were written, of one record at most, perhaps over cipher text that was read; 0 wants more cipher
   * text; or one of the two constants.
   */
  open(into: Pointer, room: number): number {
    const openSsl = this.#openSsl;
    const result = openSsl.SSL_read(this.pointer, into, room);
    if (result > 0) {
      if (!this.#isSessionKept) this.#keepSession();
      return result;
    }
    switch (openSsl.SSL_get_error(this.pointer, result)) {
      case ssl.SSL_ERROR_WANT_READ:
        return 0;
      case ssl.SSL_ERROR_ZERO_RETURN:
        this.forgetIncoming();
        return closeNotified;
      default:
        this.#fail();
        return failed;
    }
  }

  /**
   * Once the handshake is done: what is outgoing are tickets, for which no peer waits. In TLS 1.2 they go before that.
   */
  get hasSentAllThatIsWaitedFor(): boolean {
    return this.#role.isServer && this.#openSsl.SSL_version(this.pointer) === ssl.TLS1_3_VERSION;
  }

  /** Whether bytes were fed that no call has looked at. */
  get hasUnread(): boolean {
    return this.#bios.unreadBytes > 0;
  }

  /** OpenSSL holds a part of a record, or plain bytes for which there was no room. */
  get hasPartialRecord(): boolean {
    return this.#openSsl.SSL_has_pending(this.pointer) === 1;
  }

  /** Seals all of it. Returns whether it could. */
  seal(from: Pointer, bytes: number): boolean {
    if (!this.#isLongDue) return this.#write(from, bytes);
    const shortBytes = Math.min(bytes, smallRecordBytes);
    if (!this.#write(from, shortBytes)) return false;
    this.#limitRecords(largeRecordBytes);
    return shortBytes === bytes || this.#write(from + shortBytes, bytes - shortBytes);
  }

  #write(from: Pointer, bytes: number): boolean {
    return this.#openSsl.SSL_write(this.pointer, from, bytes) === bytes || this.#sealingFailed();
  }

  /**
   * By how much so many bytes become longer at most, and how far cipher text may be behind plain bytes at each moment.
   */
  sealingBytes(bytes: number): number {
    return Math.ceil(bytes / this.#recordBytes) * recordOverheadBytes + otherRecordsBytes;
  }

  /**
   * Seals all of it towards lower addresses, uncopied: there must be room for `sealingBytes` in front of it. Returns
   * how many bytes lie at `into` then; 0 where it could not.
   */
  sealInPlace(into: Pointer, from: Pointer, bytes: number): number {
    this.#bios.lend(into, from - into + bytes);
    const isSealed = this.seal(from, bytes);
    const written = this.#bios.takeBack();
    return isSealed ? written : 0;
  }

  sealBytes(bytes: Uint8Array): boolean {
    const written = this.#openSsl.SSL_writeBytes(this.pointer, bytes, bytes.length);
    return written === bytes.length || this.#sealingFailed();
  }

  #sealingFailed(): false {
    this.#fail();
    this.forgetOutgoing();
    return false;
  }

  /** Cipher text that must go out: look after any other call. */
  get outgoing(): number {
    return this.#bios.collectedBytes;
  }

  /** Returns how many bytes it has written. */
  take(into: Pointer, room: number): number {
    return this.#bios.take(into, room);
  }

  /** What was fed is nobody's any more. */
  forgetIncoming(): void {
    this.#bios.forgetUnread();
  }

  /** For want of memory: the peer will not understand what follows. */
  forgetOutgoing(): void {
    this.#bios.forgetCollected();
  }

  /** Says close_notify: nothing may be sealed any more. */
  finish(): void {
    const openSsl = this.#openSsl;
    if (openSsl.SSL_shutdown(this.pointer) < 0) takeReason(openSsl);
  }

  /**
   * Short records, which it begins with, can be read before all of a long one has come; long ones cost less. One more
   * is short: reading a ticket may have left a buffer for a short one, which OpenSSL 3.0 gives up when it has written,
   * and writes a long one into otherwise, without success.
   */
  sealLongRecords(): void {
    this.#isLongDue = this.#recordBytes === smallRecordBytes;
  }

  #limitRecords(bytes: number): void {
    this.#isLongDue = false;
    this.#recordBytes = bytes;
    this.#openSsl.SSL_ctrl(this.pointer, ssl.SSL_CTRL_SET_MAX_SEND_FRAGMENT, bytes, null);
    this.#openSsl.SSL_ctrl(this.pointer, ssl.SSL_CTRL_SET_SPLIT_SEND_FRAGMENT, bytes, null);
  }

  /** What the handshake has settled. */
  get session(): TlsSession {
    const openSsl = this.#openSsl;
    const { isServer } = this.#role;
    const name = isServer ? openSsl.SSL_get_servername(this.pointer, ssl.TLSEXT_NAMETYPE_host_name) : null;
    return {
      version: openSsl.SSL_get_version(this.pointer),
      alpn: this.#alpn(),
      serverName: name === null ? undefined : hostName(name),
      clientSubject: isServer ? this.#clientSubject() : undefined,
    };
  }

  #clientSubject(): string | undefined {
    const certificate = this.peerCertificate;
    return certificate && subjectOf(certificate).replaceAll('\n', ', ');
  }

  #alpn(): string | undefined {
    this.#openSsl.SSL_get0_alpn_selected(this.pointer, pointerRead, lengthRead);
    const [at = 0n] = pointerRead;
    const [length = 0] = lengthRead;
    if (length === 0) return undefined;
    const name = Buffer.alloc(length);
    this.#openSsl.memcpyOut(name, Number(at), length);
    return name.toString('latin1');
  }

  /** What the peer has shown, good or not; undefined where it has shown none. */
  get peerCertificate(): X509Certificate | undefined {
    if (this.failure !== undefined) return this.#refused;
    const certificate = this.#openSsl.SSL_get0_peer_certificate(this.pointer);
    return certificate === 0 ? undefined : readCertificate(this.#openSsl, certificate);
  }

  /**
   * Until when the certificate is good that the peer has shown, in milliseconds since 1970; undefined where nobody
   * asks.
   */
  get shownUntilMs(): number | undefined {
    const certificate = this.#role.isLookDue() ? this.peerCertificate : undefined;
    return certificate && Date.parse(certificate.validTo);
  }

  /** Once; no other call follows. */
  free(): void {
    const openSsl = this.#openSsl;
    if (!this.#isEstablished) this.#role.handshakeFailed();
    else if (!this.#isSessionKept && this.failure === undefined) this.#keepSession();
    // Otherwise OpenSSL takes the session for broken, which the proxy may resume.
    if (this.failure === undefined && !this.#role.isServer)
      openSsl.SSL_set_shutdown(this.pointer, ssl.SSL_SENT_SHUTDOWN | ssl.SSL_RECEIVED_SHUTDOWN);
    openSsl.SSL_free(this.pointer);
  }

  #keepSession(): void {
    this.#isSessionKept = true;
    this.#role.keepSession(this.pointer);
  }

  #fail(): void {
    const reason = takeReason(this.#openSsl);
    this.failure ??= this.#certificateFailure() ?? reason;
    this.forgetIncoming();
  }

  #certificateFailure(): string | undefined {
    if (this.#isEstablished) return undefined;
    const problem = certificateProblem(this.#openSsl, this.pointer);
    if (problem === undefined) return undefined;
    const { isServer, peerName } = this.#role;
    if (isServer) return `client certificate: ${problem.text}`;
    this.#refused = this.#role.refusedCertificate();
    const named = problem.isOfName && peerName !== undefined ? this.#otherName(peerName) : undefined;
    return named ?? `${problem.text} (${problem.code})`;
  }

  /** The name that the certificate has instead, as Node writes it. */
  #otherName(wanted: string): string | undefined {
    const certificate = this.#refused?.toLegacyObject();
    const error = certificate && tls.checkServerIdentity(wanted, certificate);
    return error !== undefined && 'reason' in error ? String(error.reason) : undefined;
  }
}

/** The most that a record can carry (RFC 8446, 5.1). */
const largeRecordBytes = 16 * 1024;
/** What a record takes beside its bytes, at most (TLS 1.2 with an explicit nonce; 1.3 takes 22). */
const recordOverheadBytes = 5 + 8 + 16;
/** KeyUpdate and an alert, which may go ahead of what is sealed. */
const otherRecordsBytes = 128;
/** What close_notify takes, at most (TLS 1.2 with an explicit nonce). */
export const closeNotifyBytes = 5 + 8 + 2 + 16;

const pointerRead = new BigUint64Array(1);
const lengthRead = new Uint32Array(1);
