/**
 * From a client's first byte to the TLS handshake:
 *
 *     asked ── a ClientHello ─▶ begun
 *       │ ▲
 *       │ └ GSSENCRequest: answered with N, once
 *       └── SSLRequest: answered with S, once ─▶ agreed ── a ClientHello ─▶ begun
 *
 * Anything else fails at once. So do bytes behind an SSLRequest that the client sent before it was answered:
 * they would be plain ones that claim to have come encrypted (CVE-2021-23222 and its kin).
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ClientHelloReader } from '../../../core/wire/client-hello.ts';
import type { HeldBytes } from '../held-bytes.ts';
import { speaksOver } from '../sockets.ts';
import { firstRequest, postgresRequestBytes } from './first-request.ts';
import type { Termination } from './termination.ts';

/** Who hears of it. */
export interface HandshakeOwner {
  /** The TLS engine has the transport from now on: `secure`, `error` and `end` of this socket tell the outcome. */
  handshakeBegun(client: TLSSocket): void;
  handshakeFailed(detail: string): void;
}

export class Handshake {
  readonly termination: Termination | undefined;
  readonly #transport: Socket;
  readonly #held: HeldBytes;
  readonly #owner: HandshakeOwner;
  readonly #hello = new ClientHelloReader();
  #sni: string | undefined;
  #isAgreed = false;
  #isGssRefused = false;
  #isBegun = false;

  /** Without a termination, as of a listener whose keys are none, every handshake fails. */
  constructor(
    transport: Socket,
    held: HeldBytes,
    termination: Termination | undefined,
    owner: HandshakeOwner,
  ) {
    this.termination = termination;
    this.#transport = transport;
    this.#held = held;
    this.#owner = owner;
  }

  /** The name that the client asks for, in lower case. */
  get sni(): string | undefined {
    return this.#sni;
  }

  /** Nothing has come of it. */
  get isAwaited(): boolean {
    return !this.#isBegun && !this.#isAgreed && !this.#isGssRefused;
  }

  /** Looks at what the client has sent so far; to be called when there is more. */
  proceed(): void {
    if (this.#isBegun) return;
    switch (firstRequest(this.#held.view)) {
      case 'more':
        return;
      case 'tls':
        return this.#read();
      case 'gssenc-request':
        if (this.#isAgreed || this.#isGssRefused) return this.#owner.handshakeFailed('a second request');
        this.#isGssRefused = true;
        this.#answer('N');
        return this.proceed();
      case 'ssl-request':
        if (this.#isAgreed || this.#held.length > postgresRequestBytes) {
          return this.#owner.handshakeFailed('bytes behind an SSLRequest');
        }
        this.#isAgreed = true;
        return this.#answer('S');
      case 'neither':
        return this.#owner.handshakeFailed('not TLS');
    }
  }

  /** Node does not tell the name that a client asks for as it resumes a session of TLS 1.2: so the hello is read. */
  #read(): void {
    const hello = this.#hello.read(this.#held.view);
    if (hello.state === 'need-more' && !this.#held.isFull) return;
    if (hello.state === 'found') this.#sni = hello.sni;
    this.#begin();
  }

  #answer(word: 'S' | 'N'): void {
    this.#held.drop(postgresRequestBytes);
    this.#transport.write(word);
  }

  #begin(): void {
    if (this.termination === undefined) return this.#owner.handshakeFailed('no usable certificate');
    this.#isBegun = true;
    const transport = this.#transport;
    // What is put back into a socket that nobody reads is what the engine takes first. A socket that flows by itself
    // would throw it away.
    transport.removeAllListeners('data');
    if (transport.readableFlowing) transport.pause();
    transport.unshift(this.#held.take());
    const client = this.termination.begin(transport, this.#sni);
    if (client === undefined) return this.#owner.handshakeFailed('no usable certificate');
    speaksOver(client, transport);
    this.#owner.handshakeBegun(client);
  }
}
