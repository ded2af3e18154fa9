/**
 * The driver that runs wherever Node runs, on `node:net`: `listenings.ts` has what is listened on, `link.ts` what a
 * connection does. Where the C library can be called, it does what Node offers nothing for (`system-sockets.ts`).
 *
 * Known limits of `node:net`: while a socket is not being read (because the other side doesn't take its
 * bytes), its RST is noticed only by a write or once reading goes on. A server can't be kept from accepting: clients of
 * an address that is paused have descriptors here, and are reset with the thread.
 */
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
import { SpareDescriptor } from '../spare-descriptor.ts';
import { NodeTlsEngine } from '../tls/node/engine.ts';
import type { AcceptMode } from './accept.ts';
import { BufferMemory } from './buffer-memory.ts';
import { PortableLink, type PortableLinkContext } from './link.ts';
import { type AcceptedClient, PortableListenings } from './listenings.ts';
import { ReadBuffers } from './read-buffers.ts';
import { peerOf } from './sockets.ts';

/** `acceptMode` is for tests and measurements of what is done where accepted handles can't be had. */
export function createPortableDriver(host: DriverHost, acceptMode: AcceptMode = 'handles'): Driver {
  return new PortableDriver(host, acceptMode);
}

class PortableDriver implements Driver, PortableLinkContext {
  readonly memory: BufferMemory;
  readonly buffers: ReadBuffers;
  readonly tls: NodeTlsEngine;
  readonly #host: DriverHost;
  /** By their numbers. */
  readonly #links: (PortableLink | undefined)[] = [];
  readonly #freeNumbers: LinkId[] = [];
  #acceptedLinks = 0;
  #dialedLinks = 0;
  #nextNumber = 0;
  readonly #listenings: PortableListenings;
  readonly #alarm: Alarm;
  readonly #spare = new SpareDescriptor();
  #isClosed = false;
  #isExhaustionTold = false;
  #allClosed: (() => void) | undefined;

  constructor(host: DriverHost, acceptMode: AcceptMode) {
    this.#host = host;
    this.#alarm = new Alarm(host);
    this.memory = new BufferMemory(
      host.bufferBytes,
      () => this.emit({ kind: 'exhausted', what: 'memory' }),
      (bytes) => host.buffersHold(bytes),
    );
    this.buffers = new ReadBuffers(this.memory);
    this.tls = new NodeTlsEngine(host.ticketKeys);
    this.#listenings = new PortableListenings({
      acceptMode,
      buffers: this.buffers,
      spare: this.#spare,
      descriptors: host.descriptors,
      admit: (client) => this.#admit(client),
      turnedAway: (listener, peer) => this.emit({ kind: 'turned-away', listener, peer }),
      outOfDescriptors: () => this.outOfDescriptors(),
    });
  }

  listen(listener: ListenerSlot, address: Address, options: ListenOptions): Promise<Address> {
    return this.#listenings.listen(listener, address, options);
  }

  unlisten(address: Address, options?: UnlistenOptions): Promise<void> {
    return this.#listenings.unlisten(address, options);
  }

  /** Makes a link of who was accepted; false where no descriptor would be left for its dial. */
  #admit({ listening: { listener, bound }, open }: AcceptedClient): boolean {
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
  #countDials(accepting = 0): void {
    this.#host.descriptors.owed = this.#acceptedLinks + accepting - this.#dialedLinks;
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
    this.#listenings.close();
    this.#isClosed = true;
    this.#alarm.set(undefined);
    this.#spare.give();
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
    this.#listenings.descriptorFreed();
    if (this.#openLinks === 0) this.#allClosed?.();
  }
}

/** Stands for the listener of a dialed link until it is joined to a client's. */
const noListener: ListenerSlot = 0;
