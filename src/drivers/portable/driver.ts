/**
 * The driver that runs wherever Node runs, on `node:net` alone.
 *
 * Known limits of `node:net`: while a socket is not being read (because the other side doesn't take its
 * bytes), its RST is noticed only by a write or once reading goes on. A server can't be kept from accepting: clients of
 * an address that is paused have descriptors here, and are reset with the thread.
 */
import type { Server } from 'node:net';
import type { Address, BackendSlot, LinkEvent, LinkId, ListenerSlot } from '../../core/contract.ts';
import { Endpoint } from '../../core/net/endpoint.ts';
import { Alarm } from '../alarm.ts';
import type {
  Driver,
  DriverCommand,
  DriverEvent,
  DriverHost,
  ListenOptions,
  UnlistenOptions,
} from '../driver.ts';
import { isSameAddress } from '../shared.ts';
import { SpareDescriptor } from '../spare-descriptor.ts';
import { NodeTlsEngine } from '../tls/node/engine.ts';
import { closeServer } from '../unix-path.ts';
import { accept, createServer, type Means, type Open } from './accept.ts';
import { BufferMemory } from './buffer-memory.ts';
import { DescriptorQueue } from './descriptor-queue.ts';
import { callLast, type LastCall } from './last-call.ts';
import { PortableLink, type PortableLinkContext } from './link.ts';
import { listen } from './listen.ts';
import { ReadBuffers } from './read-buffers.ts';
import { peerOf } from './sockets.ts';

/** `means` is for tests and measurements of what is done where accepted handles can't be had. */
export function createPortableDriver(host: DriverHost, means: Means = 'handles'): Driver {
  return new PortableDriver(host, means);
}

/** A bound address and whose it is. */
interface BoundServer {
  readonly server: Server;
  readonly asked: Address;
  readonly bound: Address;
  listener: ListenerSlot;
  /** Connections so far: as it stands still, none waits any more. */
  accepted: number;
  isPaused: boolean;
  /** Clients that came while it was paused: accepted, and not looked at. */
  readonly waiting: Open[];
  /** Set while it is about to be closed; `left` is fulfilled once it is, or once it is known that it stays. */
  leaving: { readonly lastCall: LastCall; readonly left: Promise<void> } | undefined;
}

/** An accepted connection that is no link yet. */
interface Newcomer {
  readonly listening: BoundServer;
  readonly open: Open;
}

class PortableDriver implements Driver, PortableLinkContext {
  readonly memory: BufferMemory;
  readonly buffers: ReadBuffers;
  readonly tls: NodeTlsEngine;
  readonly #host: DriverHost;
  readonly #means: Means;
  /** By their numbers. */
  readonly #links: (PortableLink | undefined)[] = [];
  readonly #freeNumbers: LinkId[] = [];
  #acceptedLinks = 0;
  #dialedLinks = 0;
  #nextNumber = 0;
  readonly #listenings = new Set<BoundServer>();
  readonly #alarm: Alarm;
  readonly #spare = new SpareDescriptor();
  /** Those that there is no descriptor for. */
  readonly #queue = new DescriptorQueue<Newcomer>({
    admit: (newcomer) => this.#admit(newcomer),
    turnAway: (newcomer) => this.#turnAwayForShortage(newcomer),
  });
  #isClosed = false;
  #isExhaustionTold = false;
  #allClosed: (() => void) | undefined;

  constructor(host: DriverHost, means: Means) {
    this.#host = host;
    this.#means = means;
    this.#alarm = new Alarm(host);
    this.memory = new BufferMemory(
      host.bufferBytes,
      () => this.emit({ kind: 'exhausted', what: 'memory' }),
      (bytes) => host.buffersHold(bytes),
    );
    this.buffers = new ReadBuffers(this.memory);
    this.tls = new NodeTlsEngine(host.ticketKeys);
  }

  async listen(listener: ListenerSlot, asked: Address, options: ListenOptions): Promise<Address> {
    const known = this.#listeningOn(asked);
    if (known?.leaving?.lastCall.cancel() === false) await known.leaving.left;
    else if (known !== undefined) {
      known.listener = listener;
      known.leaving = undefined;
      known.isPaused = options.isPaused ?? false;
      if (!known.isPaused) this.#acceptWaiting(known);
      return known.bound;
    }
    const server = createServer();
    const bound = await listen(server, asked, options);
    const listening: BoundServer = {
      server,
      asked,
      bound,
      listener,
      accepted: 0,
      isPaused: options.isPaused ?? false,
      waiting: [],
      leaving: undefined,
    };
    this.#listenings.add(listening);
    accept(server, this.buffers, this.#means, {
      accepted: (open) => {
        listening.accepted++;
        if (!listening.isPaused) this.#accept({ listening, open });
        else if (listening.waiting.length < longestQueue) listening.waiting.push(open);
        else this.#turnAway({ listening, open });
      },
      failed: () => {
        this.outOfDescriptors();
        this.#spare.give();
      },
    });
    return bound;
  }

  async unlisten(address: Address, { isSucceeded = false }: UnlistenOptions = {}): Promise<void> {
    const listening = this.#listeningOn(address);
    if (listening === undefined) return;
    if (listening.leaving === undefined) {
      const lastCall = callLast(listening.server, isSucceeded);
      listening.leaving = { lastCall, left: this.#leave(listening, lastCall) };
    }
    await listening.leaving.left;
  }

  async #leave(listening: BoundServer, lastCall: LastCall): Promise<void> {
    listening.isPaused = false;
    this.#acceptWaiting(listening);
    await lastCall.over;
    await queueTaken(listening);
    this.#queue.settle((newcomer) => newcomer.listening === listening);
    // A new owner may have come in between.
    if (listening.leaving?.lastCall !== lastCall) return;
    this.#listenings.delete(listening);
    closeServer(listening.server);
  }

  #listeningOn(address: Address): BoundServer | undefined {
    for (const listening of this.#listenings) {
      if (isSameAddress(listening.bound, address) || isSameAddress(listening.asked, address))
        return listening;
    }
    return undefined;
  }

  #acceptWaiting(listening: BoundServer): void {
    for (const open of listening.waiting.splice(0)) this.#accept({ listening, open });
  }

  #turnAway({ listening: { listener, bound }, open }: Newcomer): void {
    const socket = open(() => true);
    const peer = socket && ('path' in bound ? Endpoint.unix : peerOf(socket));
    socket?.on('error', () => {}).destroy();
    this.#spare.take();
    if (peer !== undefined) this.emit({ kind: 'turned-away', listener, peer });
  }

  #turnAwayForShortage(newcomer: Newcomer): void {
    this.outOfDescriptors();
    this.#turnAway(newcomer);
  }

  #accept(newcomer: Newcomer): void {
    if (this.#admit(newcomer)) return;
    if (this.#host.descriptors.mayKeepWaiting) this.#queue.add(newcomer);
    else this.#turnAwayForShortage(newcomer);
  }

  /** Makes a link of who was accepted; false where no descriptor would be left for its dial. */
  #admit({ listening: { listener, bound }, open }: Newcomer): boolean {
    if (!this.#leavesDescriptors()) return false;
    const link = new PortableLink(this.#freeNumbers.pop() ?? this.#nextNumber, listener, this);
    if (link.id === this.#nextNumber) this.#nextNumber += 2;
    const socket = open(link.received);
    const peer = socket && ('path' in bound ? Endpoint.unix : peerOf(socket));
    // A client that has gone before its address could be asked for is none.
    if (socket === undefined || peer === undefined) {
      this.#freeNumbers.push(link.id);
      socket?.on('error', () => {}).destroy();
      return true;
    }
    this.#links[link.id] = link;
    this.#acceptedLinks++;
    link.accepted(socket, 'path' in bound);
    this.emit({ kind: 'accepted', link: link.id, listener, peer });
    return true;
  }

  /** Whether a client that was just accepted leaves a descriptor for its dial, and for those of the others. */
  #leavesDescriptors(): boolean {
    this.#countDials(1);
    if (this.#host.descriptors.clients >= 0) return true;
    this.#countDials();
    return false;
  }

  /** Each client is to have a backend, and one that is about to be accepted as well. */
  #countDials(newcomers = 0): void {
    this.#host.descriptors.owed = this.#acceptedLinks + newcomers - this.#dialedLinks;
  }

  outOfDescriptors(): void {
    this.#host.descriptors.areGone();
    if (this.#isExhaustionTold) return;
    this.#isExhaustionTold = true;
    setImmediate(() => {
      this.#isExhaustionTold = false;
      this.emit({ kind: 'exhausted', what: 'descriptors' });
    });
  }

  execute(command: DriverCommand): void {
    if (command.kind === 'connect') return this.#connect(command.link, command.address);
    if (command.kind === 'join') {
      const backend = this.#links[command.backend];
      if (backend !== undefined)
        this.#links[command.client]?.joinBackend(backend, command.slot, command.first);
      return;
    }
    const link = this.#links[command.link];
    switch (command.kind) {
      case 'inspect':
        return link?.inspect(command.beyond);
      case 'discard':
        return link?.discard(command.bytes);
      case 'send':
        return link?.send(command.bytes);
      case 'start-tls':
        return link?.startTls(command);
      case 'close':
        return link?.close(command.how);
    }
  }

  #connect(number: LinkId, address: Address): void {
    const link = new PortableLink(number, noListener, this);
    this.#links[number] = link;
    this.#dialedLinks++;
    this.#countDials();
    link.connect(address);
  }

  lastByteMs(link: LinkId): number {
    return this.#links[link]?.lastByteMs ?? 0;
  }

  sentBytes(link: LinkId): number {
    return this.#links[link]?.sentBytes ?? 0;
  }

  waitingBytes(link: LinkId): number {
    return this.#links[link]?.waitingBytes ?? 0;
  }

  localEndpoint(link: LinkId): Endpoint {
    return this.#links[link]?.localEndpoint ?? Endpoint.unix;
  }

  wakeAt(deadlineMs: number | undefined): void {
    this.#alarm.set(deadlineMs);
  }

  async close(): Promise<void> {
    this.#queue.settle(() => true);
    this.#isClosed = true;
    this.#alarm.set(undefined);
    this.#spare.give();
    for (const { server, waiting } of this.#listenings) {
      for (const open of waiting) open(() => true)?.destroy();
      closeServer(server);
    }
    this.#listenings.clear();
    if (this.#openLinks === 0) return;
    const allClosed = new Promise<void>((resolve) => {
      this.#allClosed = resolve;
    });
    for (const link of this.#links) link?.close('reset');
    await allClosed;
  }

  get #openLinks(): number {
    return this.#acceptedLinks + this.#dialedLinks;
  }

  emit(event: DriverEvent): void {
    if (!this.#isClosed) this.#host.emit(event);
  }

  now(): number {
    return this.#host.now();
  }

  countBytes(listener: ListenerSlot, backend: BackendSlot, toBackend: number, toClient: number): void {
    this.#host.countBytes(listener, backend, toBackend, toClient);
  }

  closed({ id }: PortableLink, last: LinkEvent): void {
    this.#links[id] = undefined;
    const isAccepted = id % 2 === 0;
    if (isAccepted) this.#acceptedLinks--;
    else this.#dialedLinks--;
    this.#countDials();
    if (!this.#isClosed) this.#spare.take();
    if (isAccepted) this.#freeNumbers.push(id);
    this.emit(last);
    this.#queue.descriptorFreed();
    if (this.#openLinks === 0) this.#allClosed?.();
  }
}

/** Stands for the listener of a dialed link until it is joined to a client's. */
const noListener: ListenerSlot = 0;

/** Turns the event loop until it brings no further connection, or has brought a whole queue of them. */
async function queueTaken(listening: BoundServer): Promise<void> {
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
