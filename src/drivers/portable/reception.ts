/**
 * A client until a backend takes it: what it sends is held, shown to the core, forgotten, and its TLS is
 * terminated. Reading stops when enough is held.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { SessionId } from '../../core/contract.ts';
import type { ListenerTls } from '../../core/plan.ts';
import { hostName } from '../../core/wire/host-name.ts';
import type { DriverHost } from '../driver.ts';
import { HeldBytes } from './held-bytes.ts';
import { Inspection } from './inspection.ts';
import { type Read, readByEvent } from './sockets.ts';
import { Handshake, type HandshakeOwner } from './tls/handshake.ts';
import type { Terminations } from './tls/termination.ts';

/** Whose client it is. */
export interface ReceptionOwner {
  readonly id: SessionId;
  /** TLS is spoken over the client's connection: this socket stands for the client from now on. */
  clientBecame(client: TLSSocket): void;
  readonly readClient: Read;
}

export interface ReceptionSurroundings extends Pick<DriverHost, 'emit'> {
  readonly terminations: Terminations;
}

export class Reception implements HandshakeOwner {
  readonly held = new HeldBytes();
  readonly #owner: ReceptionOwner;
  readonly #around: ReceptionSurroundings;
  #inspection: Inspection | undefined;
  #handshake: Handshake | undefined;
  #hasLeftSilently = false;

  constructor(owner: ReceptionOwner, around: ReceptionSurroundings) {
    this.#owner = owner;
    this.#around = around;
  }

  /** Takes what was just read. False: stop reading. */
  take(bytes: Uint8Array): boolean {
    this.held.append(bytes);
    if (this.#handshake === undefined) this.showWhatIsDue();
    else this.#handshake.proceed();
    return !this.held.isFull;
  }

  inspect(beyond: number): void {
    this.#inspection ??= new Inspection(this.#owner.id, this.held, this.#around);
    this.#inspection.ask(beyond);
  }

  showWhatIsDue(): void {
    this.#inspection?.answer();
  }

  /** The client has finished in its handshake. */
  leave(): void {
    this.#hasLeftSilently = this.#handshake?.isAwaited === true && this.held.length === 0;
    this.withdraw();
  }

  get hasLeftSilently(): boolean {
    return this.#hasLeftSilently;
  }

  /** Whether a handshake is under way. */
  get isSecuring(): boolean {
    return this.#handshake !== undefined;
  }

  /** `hasFinished`: nothing more comes from the client. */
  secure(client: Socket, tls: ListenerTls, hasFinished: boolean): void {
    const termination = this.#around.terminations.of(tls);
    this.#handshake = new Handshake(client, this.held, termination, this);
    const handshake = this.#handshake;
    // No event may come out of the command itself.
    process.nextTick(() => {
      if (this.#handshake !== handshake) return;
      if (hasFinished) this.handshakeFailed('the client has finished');
      else handshake.proceed();
    });
  }

  handshakeBegun(client: TLSSocket): void {
    this.#owner.clientBecame(client);
  }

  handshakeDone(client: TLSSocket): void {
    const handshake = this.#handshake;
    if (handshake === undefined) return;
    const objection = handshake.termination?.objectionTo(client);
    if (objection !== undefined) return this.handshakeFailed(objection);
    this.#handshake = undefined;
    readByEvent(client, this.#owner.readClient);
    // Node types no name on the server's side; without one it is false.
    const { servername } = client as TLSSocket & { readonly servername?: string | false };
    this.#around.emit({
      kind: 'secured',
      session: this.#owner.id,
      // Of a hello that only the engine could read, the engine knows the name.
      sni: handshake.sni ?? hostName(servername || ''),
      alpn: client.alpnProtocol || undefined,
    });
  }

  handshakeFailed(detail: string): void {
    const handshake = this.#handshake;
    if (handshake === undefined) return;
    this.#handshake = undefined;
    this.#around.emit({ kind: 'secure-failed', session: this.#owner.id, sni: handshake.sni, detail });
  }

  /** Nothing is shown or told any more. */
  withdraw(): void {
    this.#inspection?.withdraw();
    this.#handshake = undefined;
  }
}
