/**
 * The driver for Linux: everything that waits goes through one io_uring, and one system call per turn submits what
 * the last turn brought and waits for more. See `ring.ts` for the ring, `session.ts` for what a session does,
 * `buffers.ts` for where bytes wait.
 */
import { isMainThread } from 'node:worker_threads';
import type { Address, Client, CoreEvent, ListenerSlot, SessionId } from '../../core/contract.ts';
import type { Driver, DriverCommand, DriverHost } from '../driver.ts';
import { unixClient } from './addresses.ts';
import { Buffers } from './buffers.ts';
import { Connection, numberMask, operation, operationShift } from './connection.ts';
import { type Libc, loadLibc } from './libc.ts';
import { Listening, listeningSerial } from './listening.ts';
import type { Outbox } from './outbox.ts';
import { Ring } from './ring.ts';
import { Session, type Surroundings } from './session.ts';
import { Sockets } from './sockets.ts';
import { EventLoopTurns, ThreadTurns, type Turning, type Turns } from './turns.ts';
import { removeSocket, removeStaleSocket } from './unix-paths.ts';

/** How its turns come about; see `turns.ts`. `thread` takes the whole thread. */
export type Hosting = 'event-loop' | 'thread';

/** Throws where koffi or io_uring can't be used; the probe tells beforehand. */
export function createUringDriver(
  host: DriverHost,
  hosting: Hosting = isMainThread ? 'event-loop' : 'thread',
): UringDriver {
  return new UringDriver(loadLibc(), host, hosting);
}

export class UringDriver implements Driver, Surroundings, Turning {
  readonly ring: Ring;
  readonly buffers: Buffers;
  readonly sockets: Sockets;
  readonly host: DriverHost;
  turnMs = 0;
  readonly #libc: Libc;
  readonly #turns: Turns;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #connections: (Connection | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #listenings: (Listening | undefined)[] = [];
  readonly #starved = new Set<Connection>();
  #later: CoreEvent[] = [];
  #lastSession = 0;
  #lastSerial = 0;
  #retryAcceptMs = Number.POSITIVE_INFINITY;
  #deadlineMs: number | undefined;
  #isClosed = false;
  #allEnded: (() => void) | undefined;

  constructor(libc: Libc, host: DriverHost, hosting: Hosting) {
    this.#libc = libc;
    this.host = host;
    this.turnMs = host.now();
    this.sockets = new Sockets(libc);
    this.ring = new Ring(libc, entries, completions);
    this.buffers = new Buffers(libc, this.ring);
    this.#turns =
      hosting === 'thread' ? new ThreadTurns(libc, this) : new EventLoopTurns(libc, this.ring, this);
    this.#listenForWake();
    if (hosting === 'thread') process.once('exit', this.#abandon);
  }

  get wakeFd(): number | undefined {
    return this.#turns.wakeFd;
  }

  async listen(
    listener: ListenerSlot,
    asked: Address,
    { shared }: { readonly shared: boolean },
  ): Promise<Address> {
    this.#turns.yieldSoon();
    const known = this.#listeningOn(asked);
    if (known !== undefined) {
      known.listener = listener;
      known.keep();
      this.#turns.soon();
      return known.bound;
    }
    if (this.#isClosed) throw new Error('The driver is closed');
    const fd = this.#bind(asked, shared);
    const bound = 'path' in asked ? asked : this.sockets.boundTo(fd);
    const free = this.#listenings.indexOf(undefined);
    const number = free < 0 ? this.#listenings.length : free;
    const place = { asked, bound, fd, number };
    this.#listenings[number] = new Listening(this, place, listener);
    this.#turns.soon();
    return bound;
  }

  async unlisten(address: Address): Promise<void> {
    this.#turns.yieldSoon();
    const listening = this.#listeningOn(address);
    if (listening === undefined) return;
    this.#turns.soon();
    await listening.leave();
  }

  left(listening: Listening): void {
    this.#turns.yieldSoon();
    this.#listenings[listening.number] = undefined;
    this.sockets.close(listening.fd);
    if ('path' in listening.bound) removeSocket(listening.bound.path);
  }

  #listeningOn(address: Address): Listening | undefined {
    return this.#listenings.find(
      (one) => one !== undefined && (isSame(one.bound, address) || isSame(one.asked, address)),
    );
  }

  #bind(asked: Address, shared: boolean): number {
    const sockaddr = this.sockets.encode(asked);
    try {
      return this.sockets.listen(sockaddr, shared);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if ('path' in asked) {
        if (code !== 'EADDRINUSE' || !this.#removeStale(asked.path, sockaddr)) throw error;
        return this.sockets.listen(sockaddr, shared);
      }
      // `::` means every address. Where IPv6 is off, that is every IPv4 address.
      if (asked.host !== '::' || !withoutIpv6.has(code)) throw error;
      return this.sockets.listen(this.sockets.encode({ ...asked, host: '0.0.0.0' }), shared);
    }
  }

  #removeStale(path: string, sockaddr: Uint8Array): boolean {
    const fd = this.sockets.open(sockaddr);
    if (fd < 0) return false;
    try {
      return removeStaleSocket(this.#libc, path, sockaddr, fd);
    } finally {
      this.sockets.close(fd);
    }
  }

  accepted({ listener }: Listening, fd: number): void {
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
        return session.dial(command.address);
      case 'abort-dial':
        return session.abortDial();
      case 'relay':
        return session.relay();
      case 'close':
        return session.close(command.how);
    }
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
    if (nowMs >= this.#retryAcceptMs) this.#acceptAgain();
    if (this.#deadlineMs !== undefined && nowMs >= this.#deadlineMs) {
      this.#deadlineMs = undefined;
      this.host.deadline();
    }
    this.#setWake();
  }

  #setWake(): void {
    const wakeMs = Math.min(this.#deadlineMs ?? Number.POSITIVE_INFINITY, this.#retryAcceptMs);
    this.#turns.wakeAt(wakeMs === Number.POSITIVE_INFINITY ? undefined : wakeMs);
  }

  turn(waitMs: number): number {
    this.ring.enter(waitMs);
    this.turnMs = this.host.now();
    const completed = this.ring.reap(this.#complete);
    if (this.#later.length > 0) this.#emitLater();
    if (this.#starved.size > 0) this.#feed();
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
    if (kind === operation.accept) return this.#listenings[number]?.completed(result, flags);
    if (high === listeningSerial) return this.#listenings[number]?.cancelled();
    const connection = this.#connections[number];
    // None of its operations outlives a connection, so that this would be the kernel's mistake, or ours.
    if (connection?.serial !== high) return;
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
    }
  };

  exhausted(): void {
    this.#retryAcceptMs = this.turnMs + retryAcceptAfterMs;
    this.#setWake();
  }

  #acceptAgain(): void {
    this.#retryAcceptMs = Number.POSITIVE_INFINITY;
    for (const listening of this.#listenings) listening?.resume();
    this.#turns.soon();
  }

  #woken(): void {
    if (this.#isClosed) return;
    this.#turns.woken();
    this.#listenForWake();
  }

  #listenForWake(): void {
    const { wakeFd } = this.#turns;
    if (wakeFd !== undefined) this.ring.waitUntilReadable(wakeFd, operation.wake << operationShift, 0);
  }

  #emitLater(): void {
    const events = this.#later;
    this.#later = [];
    for (const event of events) this.emit(event);
  }

  /** Lets those receive again who found no buffer: as many as there are buffers now. */
  #feed(): void {
    let left = this.buffers.smallLeft;
    for (const connection of this.#starved) {
      if (left-- <= 0) return;
      this.#starved.delete(connection);
      connection.session.read(connection);
    }
  }

  emit(event: CoreEvent): void {
    if (!this.#isClosed) this.host.emit(event);
  }

  later(event: CoreEvent): void {
    this.#later.push(event);
  }

  countBytes(listener: ListenerSlot, toBackend: number, toClient: number): void {
    this.host.countBytes(listener, toBackend, toClient);
  }

  opened(session: Session, fd: number, outbox: Outbox): Connection {
    const number = this.#freeNumbers.pop() ?? this.#connections.length;
    // Completions bring it back as a signed word.
    this.#lastSerial = (this.#lastSerial + 1) | 0 || 1;
    const connection = new Connection(session, fd, outbox, number, this.#lastSerial);
    this.#connections[number] = connection;
    return connection;
  }

  closed(connection: Connection): void {
    this.#connections[connection.number] = undefined;
    this.#freeNumbers.push(connection.number);
    this.#starved.delete(connection);
    this.sockets.close(connection.fd);
    if (this.#retryAcceptMs !== Number.POSITIVE_INFINITY) this.#acceptAgain();
    connection.session.closed(connection);
  }

  starved(connection: Connection): void {
    this.#starved.add(connection);
  }

  forget(session: Session): void {
    this.#sessions.delete(session.id);
  }

  /** What is taken and not given back, for tests. */
  get held(): { readonly sessions: number; readonly connections: number; readonly buffers: number } {
    return {
      sessions: this.#sessions.size,
      connections: this.#connections.filter((one) => one !== undefined).length,
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
    for (const listening of this.#listenings) {
      if (listening !== undefined) void listening.leave();
    }
    this.#turns.soon();
    await allEnded;
  }

  /**
   * The thread ends without having closed this driver, because something was thrown. Descriptors belong to the
   * process, so that they would outlive the thread, and clients wait in the queues of sockets that nobody accepts on.
   * Memory is left as it is: the kernel may be at work in it.
   */
  readonly #abandon = (): void => {
    this.#isClosed = true;
    for (const listening of this.#listenings) if (listening !== undefined) this.sockets.close(listening.fd);
    for (const connection of this.#connections)
      if (connection !== undefined) this.sockets.close(connection.fd);
    this.#turns.close();
    this.#libc.close(this.ring.fd);
  };

  /** What the kernel may still write to is kept until nothing is under way any more. */
  #closeIfAllEnded(): void {
    if (this.#sessions.size > 0 || this.#listenings.some((one) => one !== undefined)) return;
    if (this.#allEnded === undefined) return;
    this.#allEnded();
    this.#allEnded = undefined;
    process.removeListener('exit', this.#abandon);
    this.#turns.close();
    this.ring.close();
    this.buffers.unmap();
  }
}

/** Entries that a turn writes before it must submit, and completions that the kernel keeps in the ring. */
const entries = 4_096;
const completions = 16_384;
/** Descriptors may have become free that are not ours. */
const retryAcceptAfterMs = 100;

const withoutIpv6 = new Set<unknown>(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Port 0 is another port each time. */
function isSame(one: Address, other: Address): boolean {
  if ('path' in one) return 'path' in other && one.path === other.path;
  return 'host' in other && one.host === other.host && one.port === other.port && one.port !== 0;
}
