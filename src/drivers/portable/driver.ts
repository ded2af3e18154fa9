/**
 * The driver that runs wherever Node runs, on `node:net` alone.
 *
 * Known limits of `node:net`: while a socket is not being read (because the other side doesn't take its
 * bytes), its RST is noticed only by a write or once reading goes on; and out of descriptors, clients that
 * wait are closed at once by libuv instead of being left in the queue.
 */
import type { Server } from 'node:net';
import type { Address, Client, CoreEvent, ListenerSlot, SessionId } from '../../core/contract.ts';
import { Alarm } from '../alarm.ts';
import type { Driver, DriverCommand, DriverHost, ListenOptions } from '../driver.ts';
import { closeServer } from '../unix-path.ts';
import { accept, createServer, type Means, type Open } from './accept.ts';
import { listen } from './listen.ts';
import { ReadBuffers } from './read-buffers.ts';
import { Session, type Surroundings } from './session.ts';
import { tcpClient, unixClient } from './sockets.ts';
import { Originations } from './tls/origination.ts';
import { Terminations } from './tls/termination.ts';

/** `means` is for tests and measurements of what is done where accepted handles can't be had. */
export function createPortableDriver(host: DriverHost, means: Means = 'handles'): Driver {
  return new PortableDriver(host, means);
}

/** A bound address and whose it is. */
interface Listening {
  readonly server: Server;
  readonly asked: Address;
  readonly bound: Address;
  listener: ListenerSlot;
  /** Connections so far: as it stands still, none waits any more. */
  accepted: number;
  isLeaving: boolean;
}

class PortableDriver implements Driver, Surroundings {
  readonly buffers = new ReadBuffers();
  readonly originations = new Originations();
  readonly terminations: Terminations;
  readonly #host: DriverHost;
  readonly #means: Means;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #listenings = new Set<Listening>();
  readonly #alarm: Alarm;
  #lastSession = 0;
  #isClosed = false;
  #allEnded: (() => void) | undefined;

  constructor(host: DriverHost, means: Means) {
    this.#host = host;
    this.#means = means;
    this.#alarm = new Alarm(host);
    this.terminations = new Terminations(host.ticketKeys);
  }

  async listen(listener: ListenerSlot, asked: Address, options: ListenOptions): Promise<Address> {
    const known = this.#listeningOn(asked);
    if (known !== undefined) {
      known.listener = listener;
      known.isLeaving = false;
      return known.bound;
    }
    const server = createServer();
    const bound = await listen(server, asked, options);
    const listening: Listening = { server, asked, bound, listener, accepted: 0, isLeaving: false };
    this.#listenings.add(listening);
    accept(server, this.buffers, this.#means, (open) => this.#accept(listening, open));
    return bound;
  }

  async unlisten(address: Address): Promise<void> {
    const listening = this.#listeningOn(address);
    if (listening === undefined) return;
    listening.isLeaving = true;
    await queueTaken(listening);
    // A new owner may have come in between.
    if (!listening.isLeaving) return;
    this.#listenings.delete(listening);
    closeServer(listening.server);
  }

  #listeningOn(address: Address): Listening | undefined {
    for (const listening of this.#listenings) {
      if (isSame(listening.bound, address) || isSame(listening.asked, address)) return listening;
    }
    return undefined;
  }

  #accept(listening: Listening, open: Open): void {
    const { listener, bound } = listening;
    listening.accepted++;
    const id = ++this.#lastSession;
    const session = new Session(id, listener, this);
    const socket = open(session.readClient);
    if (socket === undefined) return;
    const client = 'path' in bound ? unixClient : tcpClient(socket);
    if (client === undefined) {
      // It has gone already: nothing was promised about it yet.
      socket.on('error', () => {}).destroy();
      return;
    }
    this.#sessions.set(id, session);
    session.begin(socket);
    this.emit({ kind: 'accepted', session: id, listener, client });
  }

  execute(command: DriverCommand): void {
    const session = this.#sessions.get(command.session);
    if (session === undefined) return;
    switch (command.kind) {
      case 'inspect':
        return session.inspect(command.beyond);
      case 'discard':
        return session.discard(command.bytes);
      case 'secure':
        return session.secure(command.tls);
      case 'dial':
        return session.dial(command);
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
    this.#alarm.set(deadlineMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#alarm.set(undefined);
    for (const { server } of this.#listenings) closeServer(server);
    this.#listenings.clear();
    if (this.#sessions.size === 0) return;
    const allEnded = new Promise<void>((resolve) => {
      this.#allEnded = resolve;
    });
    for (const session of this.#sessions.values()) session.close('reset');
    await allEnded;
  }

  emit(event: CoreEvent): void {
    if (!this.#isClosed) this.#host.emit(event);
  }

  now(): number {
    return this.#host.now();
  }

  countBytes(listener: ListenerSlot, toBackend: number, toClient: number): void {
    this.#host.countBytes(listener, toBackend, toClient);
  }

  forget(session: SessionId): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#allEnded?.();
  }
}

/** Turns the event loop until it brings no further connection, or has brought a whole queue of them. */
async function queueTaken(listening: Listening): Promise<void> {
  const most = listening.accepted + longestQueue;
  let accepted: number;
  do {
    accepted = listening.accepted;
    // The loop polls between two immediates, and libuv accepts at least one connection that waits.
    await turn();
    await turn();
  } while (listening.accepted > accepted && listening.accepted < most);
}

const longestQueue = 4096;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Port 0 is another port each time. */
function isSame(one: Address, other: Address): boolean {
  if ('path' in one) return 'path' in other && one.path === other.path;
  return 'host' in other && one.host === other.host && one.port === other.port && one.port !== 0;
}
