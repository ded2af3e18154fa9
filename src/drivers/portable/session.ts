/**
 * One client connection and, once dialed, its backend connection:
 *
 *     waiting ── dial ─▶ dialing ── connected ─▶ dialed ── relay ─▶ relaying
 *        ▲                  │                       │                  │
 *        └── failed, aborted┴───────── aborted ─────┘                  │
 *     closing (FIN sent to both; what still comes is discarded)   ◀────┤   close 'fin', in every stage
 *     resetting (RST sent to both)                                ◀────┘   close 'reset' or a peer's reset
 *
 * However it goes, `ended` follows once every socket it ever opened is closed.
 */
import type { Socket } from 'node:net';
import type { Address, Client, CoreEvent, ListenerSlot, SessionId } from '../../core/contract.ts';
import type { DriverHost } from '../driver.ts';
import { Flow } from './flow.ts';
import { HeldBytes } from './held-bytes.ts';
import { Inspection } from './inspection.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { arrivedAt, dial, dialFailure, reset, unixClient, wasReset } from './sockets.ts';

/** What a session needs of the driver around it. */
export interface Surroundings extends Pick<DriverHost, 'emit' | 'now' | 'countBytes'> {
  readonly buffers: ReadBuffers;
  /** The session is over: commands no longer reach it. */
  forget(session: SessionId): void;
}

type Side = 'client' | 'backend';
type Ended = Extract<CoreEvent, { readonly kind: 'ended' }>;
type Ending = Pick<Ended, 'how' | 'endedBy'>;

const clientReset: Ending = { how: 'client-reset', endedBy: 'client' };
const backendReset: Ending = { how: 'backend-reset', endedBy: 'backend' };
const closed: Ending = { how: 'closed', endedBy: 'proxy' };

export class Session {
  lastByteMs = 0;
  readonly #id: SessionId;
  readonly #listener: ListenerSlot;
  readonly #around: Surroundings;
  #stage: 'waiting' | 'dialing' | 'dialed' | 'relaying' | 'closing' | 'resetting' = 'waiting';
  #client: Socket | undefined;
  #backend: Socket | undefined;
  #openSockets = 0;
  readonly #held = new HeldBytes();
  #inspection: Inspection | undefined;
  #preamble: Uint8Array = nothing;
  #firstFin: Side | undefined;
  #toBackend: Flow | undefined;
  #toClient: Flow | undefined;
  #ending: Ending | undefined;

  constructor(id: SessionId, listener: ListenerSlot, around: Surroundings) {
    this.#id = id;
    this.#listener = listener;
    this.#around = around;
  }

  /** Takes the accepted client. It is read from now on, so that its leaving is seen. */
  begin(client: Socket): void {
    this.#client = client;
    this.#open(client);
  }

  readonly readClient = (length: number, buffer: Uint8Array): boolean => {
    if (this.#stage === 'relaying') {
      this.lastByteMs = this.#around.now();
      return this.#toBackend?.carry(length, buffer) ?? true;
    }
    if (this.#stage === 'closing' || this.#stage === 'resetting') return true;
    this.#held.append(length === buffer.length ? buffer : buffer.subarray(0, length));
    this.#inspection?.answer();
    return !this.#held.isFull;
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
    if (this.#stage !== 'waiting') return;
    this.#inspection ??= new Inspection(this.#id, this.#held, this.#around);
    this.#inspection.ask(beyond);
  }

  discard(bytes: number): void {
    const wasFull = this.#held.isFull;
    this.#held.drop(bytes);
    if (wasFull && !this.#held.isFull && this.#stage !== 'relaying') this.#client?.resume();
  }

  dial(address: Address, preamble: Uint8Array = nothing): void {
    if (this.#stage !== 'waiting') return;
    this.#inspection?.withdraw();
    this.#stage = 'dialing';
    this.#preamble = preamble;
    this.#backend = dial(address, this.#around.buffers, this.#readBackend);
    this.#backend.on('connect', onConnect);
    this.#open(this.#backend);
  }

  abortDial(): void {
    if (this.#stage !== 'dialing' && this.#stage !== 'dialed') return;
    this.#stage = 'waiting';
    this.#backend?.destroy();
    this.#backend = undefined;
  }

  relay(): void {
    const client = this.#client;
    const backend = this.#backend;
    if (this.#stage !== 'dialed' || client === undefined || backend === undefined) return;
    this.#stage = 'relaying';
    const { buffers } = this.#around;
    this.lastByteMs = this.#around.now();
    this.#toBackend = new Flow(client, backend, buffers, (n) =>
      this.#around.countBytes(this.#listener, n, 0),
    );
    this.#toClient = new Flow(backend, client, buffers, (n) => this.#around.countBytes(this.#listener, 0, n));
    this.#sendHeld(client, this.#toBackend);
    if (this.#firstFin === 'client') backend.end();
    if (backend.isPaused()) backend.resume();
  }

  /** What the backend gets first: the preamble and what is held of the client, in one write. */
  #sendHeld(client: Socket, toBackend: Flow): void {
    const wasFull = this.#held.isFull;
    const preamble = this.#preamble;
    const held = this.#held.take();
    if (preamble.length + held.length === 0) return;
    const first = preamble.length === 0 ? held : Buffer.concat([preamble, held]);
    const goesOn = toBackend.send(first, held.length);
    if (this.#firstFin === 'client') return;
    if (!goesOn) client.pause();
    else if (wasFull) client.resume();
  }

  close(how: 'reset' | 'fin'): void {
    if (this.#stage === 'resetting') return;
    this.#inspection?.withdraw();
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
    this.#inspection?.withdraw();
    this.#stage = 'resetting';
    if (this.#client !== undefined) reset(this.#client);
    if (this.#backend !== undefined) reset(this.#backend);
  }

  #open(socket: Socket): void {
    Object.assign(socket, { [owner]: this });
    this.#openSockets++;
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  connected(backend: Socket): void {
    if (backend !== this.#backend || this.#stage !== 'dialing') return;
    this.#stage = 'dialed';
    this.#around.emit({ kind: 'dialed', session: this.#id });
    // As a rule the answer to the event is `relay`, and it has been executed by now.
    if (this.#stage === 'dialed') backend.pause();
  }

  finned(socket: Socket): void {
    // A reset that was taken for the end is told by the socket's `error` in a moment.
    if (this.#ending !== undefined || wasReset(socket)) return;
    const side = socket === this.#client ? 'client' : 'backend';
    const isFirst = this.#firstFin === undefined;
    this.#firstFin ??= side;
    if (this.#stage === 'relaying') {
      if (side === 'client') this.#backend?.end();
      else this.#client?.end();
    }
    if (!isFirst) return;
    this.#inspection?.answer();
    if (this.#ending !== undefined) return;
    this.#around.emit({ kind: 'half-closed', session: this.#id, side, unsentBytes: this.#held.length });
  }

  failed(socket: Socket, error: NodeJS.ErrnoException): void {
    if (socket === this.#client) return this.#peerReset(clientReset);
    // A dial that was aborted is not heard of, nor a backend that nobody waits for any more.
    if (socket !== this.#backend || this.#stage === 'closing') return;
    if (this.#stage !== 'dialing') return this.#peerReset(backendReset);
    this.#stage = 'waiting';
    this.#backend = undefined;
    this.#around.emit({ kind: 'dial-failed', session: this.#id, why: dialFailure(error) });
  }

  #peerReset(ending: Ending): void {
    this.#ending ??= ending;
    this.#reset();
  }

  closed(socket: Socket): void {
    this.#openSockets--;
    if (socket === this.#client && this.#stage === 'closing') this.#backend?.destroy();
    if (this.#openSockets === 0) this.#end();
  }

  #end(): void {
    this.#toBackend?.end();
    this.#toClient?.end();
    this.#around.forget(this.#id);
    this.#around.emit({
      kind: 'ended',
      session: this.#id,
      ...(this.#ending ?? { how: 'finished', endedBy: this.#firstFin ?? 'client' }),
      bytesToBackend: this.#toBackend?.deliveredBytes ?? 0,
      bytesToClient: this.#toClient?.deliveredBytes ?? 0,
    });
  }
}

const nothing = Buffer.alloc(0);

/**
 * A socket finds its session by itself, so that all sockets share the four listeners below: closures for each
 * would cost every idle connection another half kilobyte.
 */
const owner = Symbol('session');
type Owned = Socket & { readonly [owner]: Session };

function onConnect(this: Owned): void {
  this[owner].connected(this);
}

function onEnd(this: Owned): void {
  this[owner].finned(this);
}

function onError(this: Owned, error: Error): void {
  this[owner].failed(this, error);
}

function onClose(this: Owned): void {
  this[owner].closed(this);
}
