/**
 * The driver for Linux: everything that waits goes through one io_uring, and one system call per turn submits what
 * the last turn brought and waits for more. See `ring.ts` for the ring, `session.ts` for what a session does,
 * `buffers.ts` for where bytes wait.
 */
import { isMainThread } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import type { Address, Client, CoreEvent, ListenerSlot, SessionId } from '../../core/contract.ts';
import type { Driver, DriverCommand, DriverHost, ListenOptions, UnlistenOptions } from '../driver.ts';
import { unixClient } from './addresses.ts';
import { type BufferBounds, Buffers } from './buffers.ts';
import { type Connection, numberMask, operation, operationShift } from './connection.ts';
import { Connections } from './connections.ts';
import { Estate, estateBytes } from './estate.ts';
import { type Libc, loadLibc } from './libc.ts';
import { type Listening, listeningSerial } from './listening.ts';
import { Listenings } from './listenings.ts';
import { Outboxes } from './outbox.ts';
import { Patience } from './patience.ts';
import { Ring } from './ring.ts';
import { Session } from './session.ts';
import { Sockets } from './sockets.ts';
import type { Surroundings } from './surroundings.ts';
import { EventLoopTurns, ThreadTurns, type Turning, type Turns } from './turns.ts';

/** How its turns come about; see `turns.ts`. `thread` takes the whole thread. */
export type Hosting = 'event-loop' | 'thread';

/** Throws where koffi or io_uring can't be used; the probe tells beforehand. */
export function createUringDriver(
  host: DriverHost,
  hosting: Hosting = isMainThread ? 'event-loop' : 'thread',
  estate?: SharedArrayBuffer,
  bounds?: BufferBounds,
): UringDriver {
  return new UringDriver(
    loadLibc(),
    host,
    hosting,
    new Estate(estate ?? new SharedArrayBuffer(estateBytes)),
    bounds,
  );
}

export class UringDriver implements Driver, Surroundings, Turning {
  readonly ring: Ring;
  readonly buffers: Buffers;
  readonly outboxes = new Outboxes();
  readonly sockets: Sockets;
  readonly host: DriverHost;
  turnMs = 0;
  readonly #estate: Estate;
  readonly #turns: Turns;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #connections = new Connections();
  readonly #listenings: Listenings;
  readonly #patience = new Patience();
  #later: (() => void)[] = [];
  #lastSession = 0;
  #deadlineMs: number | undefined;
  #isClosed = false;
  #allEnded: (() => void) | undefined;

  constructor(system: Libc, host: DriverHost, hosting: Hosting, estate: Estate, bounds?: BufferBounds) {
    const libc = estate.noting(system);
    this.#estate = estate;
    this.host = host;
    this.turnMs = host.now();
    this.sockets = new Sockets(libc);
    this.ring = new Ring(libc, entries, completions);
    estate.drives(this.ring);
    this.buffers = new Buffers(libc, this.ring, bounds);
    this.#turns =
      hosting === 'thread' ? new ThreadTurns(libc, this) : new EventLoopTurns(libc, this.ring, this);
    this.#listenings = new Listenings({
      libc,
      ring: this.ring,
      sockets: this.sockets,
      estate,
      now: () => host.now(),
      accepted: (listening, fd) => this.#accepted(listening, fd),
      rescheduled: () => this.#setWake(),
      settled: () => this.#turns.yieldSoon(),
    });
    this.#listenForWake();
  }

  get wakeFd(): number | undefined {
    return this.#turns.wakeFd;
  }

  async listen(listener: ListenerSlot, address: Address, options: ListenOptions): Promise<Address> {
    this.#turns.yieldSoon();
    if (this.#isClosed) throw new Error('The driver is closed');
    const bound = this.#listenings.listen(listener, address, options);
    this.#turns.soon();
    return bound;
  }

  async unlisten(address: Address, options?: UnlistenOptions): Promise<void> {
    this.#turns.yieldSoon();
    await this.#listenings.unlisten(address, options);
  }

  #accepted({ listener }: Listening, fd: number): void {
    this.#estate.accepted(fd);
    const client = this.#isClosed ? undefined : this.sockets.client(fd);
    // Who has gone already is no client: nothing was promised about it yet.
    if (client === undefined) return this.sockets.close(fd);
    const session = new Session(++this.#lastSession, listener, fd, this);
    this.#sessions.set(session.id, session);
    this.emit({ kind: 'accepted', session: session.id, listener, client });
  }

  execute(command: DriverCommand): void {
    const session = this.#sessions.get(command.session);
    if (session === undefined) return;
    this.#turns.soon();
    switch (command.kind) {
      case 'dial':
        if (command.tls !== undefined)
          return this.#failTls(session, { kind: 'dial-failed', why: 'connect-failed' });
        return session.dial(command.address, command.preamble);
      case 'abort-dial':
        return session.abortDial();
      case 'relay':
        return session.relay();
      case 'close':
        return session.close(command.how);
      case 'inspect':
        return session.inspect(command.beyond);
      case 'discard':
        return session.discard(command.bytes);
      case 'secure':
        return this.#failTls(session, {
          kind: 'secure-failed',
          sni: undefined,
          detail: 'this driver speaks no TLS',
        });
    }
  }

  /** Who asks this driver for TLS has made a mistake, for which no session shall wait forever. */
  #failTls({ id }: Session, failed: TlsFailure): void {
    this.later(() => this.emit({ ...failed, session: id }));
  }

  lastByteMs(session: SessionId): number {
    return this.#sessions.get(session)?.lastByteMs ?? 0;
  }

  arrivedAt(session: SessionId): Client {
    return this.#sessions.get(session)?.arrivedAt ?? unixClient;
  }

  wakeAt(deadlineMs: number | undefined): void {
    this.#deadlineMs = deadlineMs;
    this.#setWake();
  }

  due(): void {
    const nowMs = this.host.now();
    if (nowMs >= this.#listenings.dueMs) {
      this.#listenings.due(nowMs);
      this.#turns.soon();
    }
    if (this.#deadlineMs !== undefined && nowMs >= this.#deadlineMs) {
      this.#deadlineMs = undefined;
      this.host.deadline();
    }
    this.#setWake();
  }

  #setWake(): void {
    const wakeMs = Math.min(this.#deadlineMs ?? Number.POSITIVE_INFINITY, this.#listenings.dueMs);
    this.#turns.wakeAt(wakeMs === Number.POSITIVE_INFINITY ? undefined : wakeMs);
  }

  turn(waitMs: number): number {
    const sends = this.ring.enter(waitMs, this.#patience.wanted);
    this.turnMs = this.host.now();
    const completed = this.ring.reap(this.#complete);
    if (waitMs > 0) this.#patience.learn(completed - sends);
    if (this.#later.length > 0) this.#doLater();
    this.#connections.feed(this.buffers);
    if (this.#isClosed) this.#closeIfAllEnded();
    return completed;
  }

  get mustGoOn(): boolean {
    return this.#later.length > 0;
  }

  readonly #complete = (low: number, high: number, result: number, flags: number): void => {
    const kind = low >>> operationShift;
    const number = low & numberMask;
    if (kind === operation.wake) return this.#woken();
    if (kind === operation.accept) return this.#listenings.completed(number, result, flags);
    if (high === listeningSerial) return this.#listenings.cancelled(number);
    const connection = this.#connections.find(number, high);
    if (connection === undefined) return;
    const { session } = connection;
    switch (kind) {
      case operation.receive:
        return session.received(connection, result, flags);
      case operation.send:
        return session.sent(connection, result);
      case operation.connect:
        return session.connected(connection, result);
      case operation.cancel:
        return session.cancelled(connection);
      case operation.watch:
        return session.watched(connection, result);
    }
  };

  #woken(): void {
    if (this.#isClosed) return;
    this.#turns.woken();
    this.#listenForWake();
  }

  #listenForWake(): void {
    const { wakeFd } = this.#turns;
    if (wakeFd !== undefined) this.ring.waitUntilReadable(wakeFd, operation.wake << operationShift, 0);
  }

  #doLater(): void {
    const happenings = this.#later;
    this.#later = [];
    for (const happen of happenings) happen();
  }

  emit(event: CoreEvent): void {
    if (!this.#isClosed) this.host.emit(event);
  }

  later(happen: () => void): void {
    this.#later.push(happen);
  }

  countBytes(listener: ListenerSlot, toBackend: number, toClient: number): void {
    this.host.countBytes(listener, toBackend, toClient);
  }

  opened(session: Session, fd: number): Connection {
    return this.#connections.add(session, fd);
  }

  closed(connection: Connection): void {
    this.#connections.remove(connection);
    this.sockets.close(connection.fd);
    this.#listenings.descriptorFreed();
    connection.session.closed(connection);
  }

  starved(connection: Connection): void {
    this.#connections.starves(connection);
  }

  forget(session: Session): void {
    this.#sessions.delete(session.id);
  }

  /** What is taken and not given back, for tests. */
  get held(): { readonly sessions: number; readonly connections: number; readonly buffers: number } {
    return {
      sessions: this.#sessions.size,
      connections: this.#connections.count,
      buffers: this.buffers.inUse,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.wakeAt(undefined);
    const allEnded = new Promise<void>((resolve) => {
      this.#allEnded = resolve;
    });
    for (const session of this.#sessions.values()) session.close('reset');
    this.#listenings.close();
    this.#turns.soon();
    await allEnded;
  }

  /** What the kernel may still write to is kept until nothing is under way any more. */
  #closeIfAllEnded(): void {
    if (this.#sessions.size > 0 || !this.#listenings.areClosed) return;
    if (this.#allEnded === undefined) return;
    assert(this.buffers.inUse === 0 && this.#connections.count === 0, 'Sessions gave back what they took');
    this.#allEnded();
    this.#allEnded = undefined;
    this.#turns.close();
    this.ring.close();
    this.buffers.unmap();
  }
}

/** Entries that a turn writes before it must submit, and completions that the kernel keeps in the ring. */
const entries = 1_024;
const completions = 16_384;

type TlsFailure =
  | Omit<Extract<CoreEvent, { readonly kind: 'dial-failed' }>, 'session'>
  | Omit<Extract<CoreEvent, { readonly kind: 'secure-failed' }>, 'session'>;
