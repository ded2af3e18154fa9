/**
 * One client connection and, once dialed, its backend connection:
 *
 *     waiting ── dial ─▶ dialing ── connected ─▶ dialed ── relay ─▶ relaying
 *        ▲                  │                       │                  │
 *        └── failed, aborted┴───────── aborted ─────┘                  │
 *     closing (FIN sent to both; what still comes is discarded)   ◀────┤   close 'fin', in every stage
 *     resetting (RST sent to both)                                ◀────┘   close 'reset' or a peer's reset
 *
 * However it goes, `ended` follows once every socket it ever opened is closed. A side with TLS has two sockets, the
 * secure one and its transport.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Client, CoreEvent, ListenerSlot, SessionId } from '../../core/contract.ts';
import type { ListenerTls } from '../../core/plan.ts';
import { type DialFailure, dialFailure } from '../dial-failure.ts';
import type { DriverCommand, DriverHost } from '../driver.ts';
import { type Flow, PlainFlow } from './flow.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { Reception, type ReceptionOwner, type ReceptionSurroundings } from './reception.ts';
import { own, ownDialed, ownSecureBackend, ownSecureClient, type SocketOwner } from './socket-owner.ts';
import { arrivedAt, connect, reset, transportOf, unixClient, wasReset } from './sockets.ts';
import type { Originations } from './tls/origination.ts';
import { tlsReason } from './tls/reason.ts';
import { SealingFlow } from './tls/sealing-flow.ts';

/** What a session needs of the driver around it. */
export interface Surroundings extends ReceptionSurroundings, Pick<DriverHost, 'now' | 'countBytes'> {
  readonly buffers: ReadBuffers;
  readonly originations: Originations;
  /** The session is over: commands no longer reach it. */
  forget(session: SessionId): void;
}

type Side = 'client' | 'backend';
type Dial = Extract<DriverCommand, { readonly kind: 'dial' }>;
type Ended = Extract<CoreEvent, { readonly kind: 'ended' }>;
type Ending = Pick<Ended, 'how' | 'endedBy'>;

const clientReset: Ending = { how: 'client-reset', endedBy: 'client' };
const backendReset: Ending = { how: 'backend-reset', endedBy: 'backend' };
const closed: Ending = { how: 'closed', endedBy: 'proxy' };

export class Session implements ReceptionOwner, SocketOwner {
  lastByteMs = 0;
  readonly id: SessionId;
  readonly #listener: ListenerSlot;
  readonly #around: Surroundings;
  #stage: 'waiting' | 'dialing' | 'dialed' | 'relaying' | 'closing' | 'resetting' = 'waiting';
  #client: Socket | undefined;
  readonly #reception: Reception;
  #dial: Dial | undefined;
  #backend: Socket | undefined;
  #openSockets = 0;
  #firstFin: Side | undefined;
  #toBackend: Flow | undefined;
  #toClient: Flow | undefined;
  #ending: Ending | undefined;

  constructor(id: SessionId, listener: ListenerSlot, around: Surroundings) {
    this.id = id;
    this.#listener = listener;
    this.#around = around;
    this.#reception = new Reception(this, around);
  }

  /** Takes the accepted client. It is read from now on, so that its leaving is seen. */
  begin(client: Socket): void {
    this.#client = client;
    this.#openSockets++;
    own(client, this);
  }

  readonly readClient = (length: number, buffer: Uint8Array): boolean => {
    if (this.#stage === 'relaying') {
      this.lastByteMs = this.#around.now();
      return this.#toBackend?.carry(length, buffer) ?? true;
    }
    if (this.#stage === 'closing' || this.#stage === 'resetting') return true;
    return this.#reception.take(length === buffer.length ? buffer : buffer.subarray(0, length));
  };

  readonly #readBackend = (length: number, buffer: Uint8Array): boolean => {
    if (this.#stage !== 'relaying') return true;
    this.lastByteMs = this.#around.now();
    return this.#toClient?.carry(length, buffer) ?? true;
  };

  get arrivedAt(): Client {
    return this.#client === undefined ? unixClient : arrivedAt(this.#client);
  }

  inspect(beyond: number): void {
    if (this.#stage === 'waiting') this.#reception.inspect(beyond);
  }

  discard(bytes: number): void {
    const { held } = this.#reception;
    const wasFull = held.isFull;
    held.drop(bytes);
    if (wasFull && !held.isFull) this.#client?.resume();
  }

  secure(tls: ListenerTls): void {
    if (this.#stage !== 'waiting' || this.#client === undefined) return;
    this.#reception.withdraw();
    this.#reception.secure(this.#client, tls, this.#firstFin !== undefined);
  }

  clientBecame(client: TLSSocket): void {
    this.#client = client;
    this.#openSockets++;
    ownSecureClient(client, this);
  }

  secured(client: TLSSocket): void {
    if (this.#ending === undefined) this.#reception.handshakeDone(client);
  }

  dial(dial: Dial): void {
    if (this.#stage !== 'waiting') return;
    this.#reception.withdraw();
    this.#stage = 'dialing';
    this.#dial = dial;
    this.#backend = connect(dial.address, this.#around.buffers, this.#readBackend);
    this.#openSockets++;
    ownDialed(this.#backend, this);
  }

  connected(backend: Socket): void {
    if (backend !== this.#backend || this.#stage !== 'dialing') return;
    if (this.#dial?.tls !== undefined && !(backend instanceof TLSSocket)) {
      return this.#secureBackend(backend, this.#dial);
    }
    this.#stage = 'dialed';
    this.#around.emit({ kind: 'dialed', session: this.id });
    // As a rule the answer to the event is `relay`, and it has been executed by now.
    if (this.#stage === 'dialed') backend.pause();
  }

  #secureBackend(transport: Socket, dial: Dial): void {
    const backend = this.#around.originations.begin(transport, dial, this.#readBackend);
    if (backend === undefined) {
      transport.destroy();
      return this.#dialFailed('connect-failed');
    }
    this.#backend = backend;
    this.#openSockets++;
    ownSecureBackend(backend, this);
  }

  abortDial(): void {
    if (this.#stage !== 'dialing' && this.#stage !== 'dialed') return;
    this.#stage = 'waiting';
    this.#backend?.destroy();
    this.#backend = undefined;
  }

  #dialFailed(why: DialFailure): void {
    this.#stage = 'waiting';
    this.#backend = undefined;
    this.#around.emit({ kind: 'dial-failed', session: this.id, why });
  }

  relay(): void {
    const client = this.#client;
    const backend = this.#backend;
    if (this.#stage !== 'dialed' || client === undefined || backend === undefined) return;
    this.#stage = 'relaying';
    this.lastByteMs = this.#around.now();
    this.#toBackend = this.#flow(client, backend, (n) => this.#around.countBytes(this.#listener, n, 0));
    this.#toClient = this.#flow(backend, client, (n) => this.#around.countBytes(this.#listener, 0, n));
    this.#sendFirst(client, this.#toBackend);
    if (this.#firstFin === 'client') backend.end();
    if (backend.isPaused()) backend.resume();
  }

  #flow(source: Socket, sink: Socket, count: (bytes: number) => void): Flow {
    const Kind = sink instanceof TLSSocket ? SealingFlow : PlainFlow;
    return new Kind(source, sink, this.#around.buffers, count);
  }

  /** What the backend gets first: the preamble and what is held of the client, in one write. */
  #sendFirst(client: Socket, toBackend: Flow): void {
    const { held } = this.#reception;
    const wasFull = held.isFull;
    const bytes = held.take();
    // Where there is TLS, the preamble went ahead of that.
    const preamble = this.#dial?.tls === undefined ? this.#dial?.preamble : undefined;
    if (bytes.length === 0 && preamble === undefined) return;
    const first = preamble === undefined ? bytes : Buffer.concat([preamble, bytes]);
    const goesOn = toBackend.send(first, bytes.length);
    if (this.#firstFin === 'client') return;
    if (!goesOn) client.pause();
    else if (wasFull) client.resume();
  }

  close(how: 'reset' | 'fin'): void {
    if (this.#stage === 'resetting') return;
    this.#reception.withdraw();
    this.#ending ??= closed;
    if (how === 'reset') return this.#reset();
    if (this.#stage === 'closing') return;
    const wasDialing = this.#stage === 'dialing';
    this.#stage = 'closing';
    if (wasDialing) this.#backend?.destroy();
    else this.#finish(this.#backend);
    this.#client?.end();
    if (!this.#client?.readableEnded) this.#client?.resume();
  }

  /** Sends FIN after what is being written, and closes then: the backend is not waited for. */
  #finish(backend: Socket | undefined): void {
    if (backend === undefined) return;
    if (backend.writableFinished) {
      backend.destroy();
      return;
    }
    // A reset that has come meanwhile does the closing itself.
    backend.end().once('finish', () => {
      if (this.#stage === 'closing') backend.destroy();
    });
  }

  #reset(): void {
    this.#reception.withdraw();
    this.#stage = 'resetting';
    if (this.#client !== undefined) reset(this.#client);
    if (this.#backend !== undefined) reset(this.#backend);
  }

  finned(socket: Socket): void {
    const side = isOf(socket, this.#client) ? 'client' : 'backend';
    // A backend that finishes before it is secure fails its dial, which is told by an error.
    if (side === 'backend' && this.#stage === 'dialing') return;
    // A reset that was taken for the end is told by the socket's `error` in a moment.
    if (this.#ending !== undefined || wasReset(socket)) return;
    const isFirst = this.#firstFin === undefined;
    this.#firstFin ??= side;
    if (side === 'client' && this.#reception.isSecuring) return this.#leave(socket);
    if (this.#stage === 'relaying') {
      if (side === 'client') this.#backend?.end();
      else this.#client?.end();
    }
    if (!isFirst) return;
    this.#reception.showWhatIsDue();
    if (this.#ending !== undefined) return;
    const unsentBytes = this.#reception.held.length;
    this.#around.emit({ kind: 'half-closed', session: this.id, side, unsentBytes });
  }

  /** A client that finishes in its handshake can't be secured any more. */
  #leave(client: Socket): void {
    this.#reception.leave();
    client.destroy();
  }

  failed(socket: Socket, error: NodeJS.ErrnoException): void {
    if (isOf(socket, this.#client)) {
      // What the system says is of the connection; the rest, of the handshake.
      if (this.#reception.isSecuring && error.syscall === undefined)
        return this.#reception.handshakeFailed(tlsReason(error));
      if (this.#reception.isSecuring) this.#reception.leave();
      return this.#peerReset(clientReset);
    }
    // A dial that was aborted is not heard of, nor a backend that nobody waits for any more.
    if (!isOf(socket, this.#backend) || this.#stage === 'closing') return;
    if (this.#stage !== 'dialing') return this.#peerReset(backendReset);
    socket.destroy();
    this.#dialFailed(dialFailure(error.code));
  }

  #peerReset(ending: Ending): void {
    this.#ending ??= ending;
    this.#reset();
  }

  closed(socket: Socket): void {
    this.#openSockets--;
    if (isOf(socket, this.#client) && this.#stage === 'closing') this.#backend?.destroy();
    if (this.#openSockets === 0) this.#end();
  }

  #end(): void {
    this.#toBackend?.end();
    this.#toClient?.end();
    this.#around.forget(this.id);
    this.#around.emit({
      kind: 'ended',
      session: this.id,
      ...(this.#ending ?? { how: 'finished', endedBy: this.#firstFin ?? 'client' }),
      bytesToBackend: this.#toBackend?.deliveredBytes ?? 0,
      bytesToClient: this.#toClient?.deliveredBytes ?? 0,
      ...(this.#reception.hasLeftSilently && { saidNothing: true }),
    });
  }
}

/** Whether a socket is the one of a side, or what that speaks TLS over. */
function isOf(socket: Socket, side: Socket | undefined): boolean {
  return side !== undefined && (socket === side || socket === transportOf(side));
}
