/**
 * The driver for Linux: everything that waits goes through one io_uring, and one system call per turn submits what
 * the last turn brought and waits for more. See `ring.ts` for the ring, `turns.ts` for the turns, `link.ts` for what a
 * connection does, `buffers.ts` for where bytes wait.
 */
import { assert } from '../../core/assert.ts';
import type { Address, LinkId, ListenerSlot } from '../../core/contract.ts';
import { Endpoint } from '../../core/net/endpoint.ts';
import type { Driver, DriverCommand, DriverHost, ListenOptions, UnlistenOptions } from '../driver.ts';
import type { StartTls } from '../tls/engine.ts';
import type { TlsConnection } from '../tls/openssl/connection.ts';
import { OpenSslEngine } from '../tls/openssl/engine.ts';
import { loadLibrary } from '../tls/openssl/library.ts';
import { type BufferBounds, Buffers, boundsOf } from './buffers.ts';
import { ByteQueues } from './byte-queue.ts';
import { CompletionsWanted } from './completions-wanted.ts';
import { Descriptors } from './descriptors.ts';
import { DueEvents } from './due-events.ts';
import { HandshakeTurns } from './handshake-turns.ts';
import { KeepAlive } from './keep-alive.ts';
import { type Libc, loadLibc } from './libc.ts';
import type { UringLink, UringLinkContext } from './link.ts';
import { LinkEvents } from './link-events.ts';
import { LinkTable } from './link-table.ts';
import { type Listening, listeningSerial } from './listening.ts';
import { Listenings } from './listenings.ts';
import { numberMask, operation, operationShift } from './operations.ts';
import { DriverResources, driverResourceBytes } from './resources.ts';
import { Ring } from './ring.ts';
import { Sockets } from './sockets.ts';
import { type Turning, Turns } from './turns.ts';
import { UnixDials } from './unix-dials.ts';
import { WaitingLinks } from './waiting-links.ts';

/** For a thread that does nothing else. Throws where koffi or io_uring can't be used; the probe tells beforehand. */
export function createUringDriver(
  host: DriverHost,
  resources = new SharedArrayBuffer(driverResourceBytes),
  bounds: BufferBounds = boundsOf(host.bufferBytes),
): UringDriver {
  return new UringDriver(loadLibc(), host, new DriverResources(resources), bounds);
}

/** A part of the driver that is called at a time of its own. */
interface TimedPart {
  /** `Infinity` is never. */
  readonly dueMs: number;
  due(nowMs: number): void;
}

export class UringDriver implements Driver, UringLinkContext, Turning {
  readonly ring: Ring;
  readonly buffers: Buffers;
  readonly queues = new ByteQueues();
  readonly sockets: Sockets;
  readonly descriptors: Descriptors;
  readonly events: LinkEvents;
  readonly dueEvents: DueEvents;
  readonly waiting: WaitingLinks;
  readonly handshakes: HandshakeTurns;
  readonly host: DriverHost;
  readonly cameMs: number[] = [];
  turnMs = 0;
  readonly #turns: Turns;
  readonly #links: LinkTable;
  readonly #unixDials: UnixDials;
  readonly #keepAlive: KeepAlive;
  readonly #listenings: Listenings;
  readonly #wanted = new CompletionsWanted();
  /** What is due at times of its own. */
  readonly #timed: readonly TimedPart[];
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #resources: DriverResources;
  #engine: OpenSslEngine | undefined;
  #isClosed = false;
  #allEnded: (() => void) | undefined;

  constructor(system: Libc, host: DriverHost, resources: DriverResources, bounds: BufferBounds) {
    const { kernel } = resources;
    const libc = kernel.noting(system);
    this.#resources = resources;
    this.host = host;
    this.turnMs = host.now();
    this.handshakes = new HandshakeTurns(() => host.now());
    this.sockets = new Sockets(libc);
    this.events = new LinkEvents(host, this);
    this.ring = new Ring(libc, entries, completions);
    kernel.drives(this.ring);
    this.buffers = new Buffers(libc, this.ring, bounds);
    this.dueEvents = new DueEvents(this.events);
    this.waiting = new WaitingLinks(this.buffers, this.dueEvents);
    this.#turns = new Turns(libc, this);
    this.#unixDials = new UnixDials(this.sockets);
    this.#keepAlive = new KeepAlive(this.sockets);
    this.#links = new LinkTable(this);
    this.descriptors = new Descriptors({
      ring: this.ring,
      sockets: this.sockets,
      resources: kernel,
      links: this.#links,
      budget: host.descriptors,
    });
    this.#listenings = new Listenings({
      libc,
      ring: this.ring,
      sockets: this.sockets,
      resources: kernel,
      descriptors: this.descriptors,
      now: () => host.now(),
      accepted: (listening, fd) => this.#accepted(listening, fd),
      turnAway: (listening, fd) => this.#turnAway(listening, fd),
      exhausted: () => this.dueEvents.exhausted('descriptors'),
      rescheduled: () => this.#setWake(),
      settled: () => this.#turns.yieldSoon(),
    });
    this.#timed = [this.#listenings, this.#unixDials, this.#keepAlive, this.buffers];
    this.#listenForWake();
  }

  /** Its engine is made for the first link that is to be secured; undefined where there is none. */
  tlsConnection(command: StartTls): TlsConnection | undefined {
    try {
      this.#engine ??= this.#newEngine();
      return this.#engine.connection(command);
    } catch {
      return undefined;
    }
  }

  /** Why there was none. koffi has a bound for what OpenSSL calls back, and threads that were killed count for ever. */
  get tlsObstacle(): string {
    return this.#engine === undefined ? 'OpenSSL can be used no more' : 'the key or a certificate is none';
  }

  #newEngine(): OpenSslEngine {
    const library = this.#resources.openSsl.noting(loadLibrary());
    return new OpenSslEngine(this.host.ticketKeys, () => this.turnMs, library);
  }

  get wakeFd(): number {
    return this.#turns.wakeFd;
  }

  async listen(listener: ListenerSlot, address: Address, options: ListenOptions): Promise<Address> {
    this.#turns.yieldSoon();
    if (this.#isClosed) throw new Error('The driver is closed');
    return this.#listenings.listen(listener, address, options);
  }

  async unlisten(address: Address, options?: UnlistenOptions): Promise<void> {
    this.#turns.yieldSoon();
    await this.#listenings.unlisten(address, options);
  }

  #accepted({ listener, bound }: Listening, fd: number): void {
    if (this.#isClosed) return this.sockets.close(fd);
    const link = this.#links.addClient();
    link.accepted(fd, listener, 'path' in bound);
    this.descriptors.countDials();
    this.events.accepted(link, listener, this.sockets.acceptedPeer);
    link.read();
  }

  #turnAway({ listener }: Listening, fd: number): void {
    this.sockets.close(fd);
    this.descriptors.spare.take();
    this.dueEvents.exhausted('descriptors');
    this.events.turnedAway(listener, this.sockets.acceptedPeer);
  }

  execute(command: DriverCommand): void {
    if (command.kind === 'connect') return this.#connect(command.link, command.address);
    if (command.kind === 'join') return this.#join(command);
    const link = this.#links.open(command.link);
    if (link === undefined) return;
    switch (command.kind) {
      case 'close':
        return link.closeBy(command.how);
      case 'inspect':
        return link.inspect(command.beyond);
      case 'discard':
        return link.discard(command.bytes);
      case 'send':
        return link.send(command.bytes);
      case 'start-tls':
        return link.startTls(command);
    }
  }

  #connect(id: LinkId, address: Address): void {
    this.#links.addBackend(id)?.connect(address);
    this.descriptors.countDials();
  }

  #join({ client, backend, slot, first }: Extract<DriverCommand, { readonly kind: 'join' }>): void {
    const other = this.#links.open(backend);
    if (other !== undefined) this.#links.open(client)?.join(other, slot, first);
  }

  lastByteMs(link: LinkId): number {
    return this.#links.open(link)?.lastByteMs ?? 0;
  }

  sentBytes(link: LinkId): number {
    return this.#links.open(link)?.sentBytes ?? 0;
  }

  waitingBytes(link: LinkId): number {
    return this.#links.open(link)?.waitingBytes ?? 0;
  }

  localEndpoint(link: LinkId): Endpoint {
    const fd = this.#links.open(link)?.fd ?? -1;
    return fd < 0 ? Endpoint.unix : this.sockets.local(fd);
  }

  wakeAt(deadlineMs: number | undefined): void {
    this.#deadlineMs = deadlineMs ?? Number.POSITIVE_INFINITY;
    this.#setWake();
  }

  due(): void {
    this.turnMs = this.host.now();
    const nowMs = this.turnMs;
    for (const one of this.#timed) if (nowMs >= one.dueMs) one.due(nowMs);
    if (nowMs >= this.#deadlineMs) {
      this.#deadlineMs = Number.POSITIVE_INFINITY;
      this.host.deadline();
    }
    this.#setWake();
  }

  #setWake(): void {
    let wakeMs = this.#deadlineMs;
    for (const { dueMs } of this.#timed) wakeMs = Math.min(wakeMs, dueMs);
    this.#turns.wakeAt(wakeMs);
  }

  turn(waitMs: number): number {
    const haveClosed = this.descriptors.submit();
    const sends = this.ring.enter(waitMs, this.#wanted.count);
    this.turnMs = this.host.now();
    if (haveClosed) this.descriptors.freed();
    this.buffers.beginTurn();
    const completed = this.ring.reap(this.#complete);
    if (waitMs > 0) this.#wanted.learn(completed - sends);
    if (this.handshakes.areThere) this.#stepHandshakes();
    this.dueEvents.tell();
    this.waiting.resume();
    this.host.buffersHold(this.buffers.bytesInUse);
    if (completed > 0 && this.buffers.releaseLater(this.turnMs)) this.#setWake();
    if (this.#isClosed) this.#closeIfAllEnded();
    return completed;
  }

  /** What others are to be sent goes out first. */
  #stepHandshakes(): void {
    this.ring.submit();
    this.handshakes.step();
  }

  get mustGoOn(): boolean {
    return this.waiting.mayResume || this.dueEvents.areThere || this.handshakes.areThere;
  }

  readonly #complete = (low: number, high: number, result: number, flags: number): void => {
    const kind = low >>> operationShift;
    const number = low & numberMask;
    if (kind === operation.wake) return this.#woken();
    if (kind === operation.accept) return this.#listenings.completed(number, result);
    if (high === listeningSerial) return this.#listenings.cancelled(number);
    const link = this.#links.find(number, high);
    if (link === undefined) return;
    switch (kind) {
      case operation.receive:
        return link.received(result, flags);
      case operation.send:
        return link.sent(result);
      case operation.connect:
        return link.connected(result);
      case operation.cancel:
        return link.cancelled();
      case operation.watch:
        return link.watched(result);
    }
  };

  #woken(): void {
    if (this.#isClosed) return;
    this.#turns.woken();
    this.turnMs = this.host.now();
    this.#listenForWake();
  }

  #listenForWake(): void {
    this.ring.waitUntilReadable(this.#turns.wakeFd, operation.wake << operationShift, 0);
  }

  dialUnix(link: UringLink, sockaddr: Uint8Array): void {
    this.#unixDials.dial(link, sockaddr, this.turnMs);
    this.#setWake();
  }

  dialedTcp(link: UringLink): void {
    if (this.#keepAlive.dialed(link, this.turnMs)) this.#setWake();
  }

  release(link: UringLink): void {
    this.#links.release(link);
    this.waiting.linkEnded();
  }

  /** What is taken and not given back, for tests. */
  get held(): { readonly links: number; readonly buffers: number } {
    return { links: this.#links.count, buffers: this.buffers.inUse };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.events.areMuted = true;
    this.wakeAt(undefined);
    const allEnded = new Promise<void>((resolve) => {
      this.#allEnded = resolve;
    });
    this.#links.closeAll();
    this.#listenings.close();
    await allEnded;
  }

  /** What the kernel may still write to is kept until nothing is under way any more. */
  #closeIfAllEnded(): void {
    if (this.#links.count > 0 || !this.#listenings.areClosed) return;
    if (this.#allEnded === undefined) return;
    assert(this.buffers.inUse === 0, 'Links gave back what they took');
    this.#allEnded();
    this.#allEnded = undefined;
    this.descriptors.closeNow();
    this.#turns.close();
    this.ring.close();
    this.buffers.unmap();
    this.#engine?.close();
    this.descriptors.spare.give();
  }
}

/** Entries that a turn writes before it must submit, and completions that the kernel keeps in the ring. */
const entries = 1_024;
const completions = 16_384;
