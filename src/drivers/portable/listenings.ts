/**
 * All the addresses that a driver listens on, and their clients until they are links. Those of an address that is
 * paused, and those that there is no descriptor for, wait here: libuv can't leave them in the kernel's queue.
 */
import type { Server } from 'node:net';
import type { Address, ListenerSlot } from '../../core/contract.ts';
import { Endpoint } from '../../core/net/endpoint.ts';
import type { DriverHost, ListenOptions, UnlistenOptions } from '../driver.ts';
import { isSameAddress } from '../shared.ts';
import type { SpareDescriptor } from '../spare-descriptor.ts';
import { closeServer } from '../unix-path.ts';
import { type AcceptMode, accept, createServer, type Open } from './accept.ts';
import { DescriptorQueue } from './descriptor-queue.ts';
import { listen } from './listen.ts';
import { drainQueue, type QueueDrain } from './queue-drain.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { peerOf } from './sockets.ts';

/** A bound address and whose it is. */
export interface PortableListening {
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
  leaving: { readonly drain: QueueDrain; readonly left: Promise<void> } | undefined;
}

/** An accepted connection that is no link yet. */
export interface AcceptedClient {
  readonly listening: PortableListening;
  readonly open: Open;
}

export interface PortableListeningsDeps {
  readonly acceptMode: AcceptMode;
  readonly buffers: ReadBuffers;
  readonly spare: SpareDescriptor;
  readonly descriptors: DriverHost['descriptors'];
  /** Makes a link of a client; false where no descriptor would be left for its dial. */
  admit(client: AcceptedClient): boolean;
  /** A client was closed without having been looked at. */
  turnedAway(listener: ListenerSlot, peer: Endpoint): void;
  outOfDescriptors(): void;
}

export class PortableListenings {
  readonly #deps: PortableListeningsDeps;
  readonly #all = new Set<PortableListening>();
  /** Those that there is no descriptor for. */
  readonly #queue: DescriptorQueue<AcceptedClient>;

  constructor(deps: PortableListeningsDeps) {
    this.#deps = deps;
    this.#queue = new DescriptorQueue({
      admit: (client) => deps.admit(client),
      turnAway: (client) => this.#turnAwayForShortage(client),
    });
  }

  /** As `Driver.listen` says. */
  async listen(listener: ListenerSlot, asked: Address, options: ListenOptions): Promise<Address> {
    const { isPaused = false } = options;
    const known = this.#on(asked);
    if (known?.leaving?.drain.cancel() === false) await known.leaving.left;
    else if (known !== undefined) {
      known.listener = listener;
      known.leaving = undefined;
      known.isPaused = isPaused;
      if (!isPaused) this.#acceptWaiting(known);
      return known.bound;
    }
    const server = createServer();
    const bound = await listen(server, asked, options);
    const listening: PortableListening = {
      server,
      asked,
      bound,
      listener,
      accepted: 0,
      isPaused,
      waiting: [],
      leaving: undefined,
    };
    this.#all.add(listening);
    accept(server, this.#deps.buffers, this.#deps.acceptMode, {
      accepted: (open) => this.#accepted({ listening, open }),
      failed: () => {
        this.#deps.outOfDescriptors();
        this.#deps.spare.give();
      },
    });
    return bound;
  }

  async unlisten(address: Address, { isSucceeded = false }: UnlistenOptions = {}): Promise<void> {
    const listening = this.#on(address);
    if (listening === undefined) return;
    if (listening.leaving === undefined) {
      const drain = drainQueue(listening.server, isSucceeded);
      listening.leaving = { drain, left: this.#leave(listening, drain) };
    }
    await listening.leaving.left;
  }

  descriptorFreed(): void {
    this.#queue.descriptorFreed();
  }

  /** Closes them all without waiting for anybody. */
  close(): void {
    this.#queue.settle(() => true);
    for (const { server, waiting } of this.#all) {
      for (const open of waiting) open(() => true)?.destroy();
      closeServer(server);
    }
    this.#all.clear();
  }

  #accepted(client: AcceptedClient): void {
    const { listening, open } = client;
    listening.accepted++;
    if (!listening.isPaused) this.#admit(client);
    else if (listening.waiting.length < longestQueue) listening.waiting.push(open);
    else this.#turnAway(client);
  }

  #acceptWaiting(listening: PortableListening): void {
    for (const open of listening.waiting.splice(0)) this.#admit({ listening, open });
  }

  #admit(client: AcceptedClient): void {
    if (this.#deps.admit(client)) return;
    if (this.#deps.descriptors.mayKeepWaiting) this.#queue.add(client);
    else this.#turnAwayForShortage(client);
  }

  #turnAwayForShortage(client: AcceptedClient): void {
    this.#deps.outOfDescriptors();
    this.#turnAway(client);
  }

  #turnAway({ listening: { listener, bound }, open }: AcceptedClient): void {
    const socket = open(() => true);
    const peer = socket && ('path' in bound ? Endpoint.unix : peerOf(socket));
    socket?.on('error', () => {}).destroy();
    this.#deps.spare.take();
    if (peer !== undefined) this.#deps.turnedAway(listener, peer);
  }

  async #leave(listening: PortableListening, drain: QueueDrain): Promise<void> {
    listening.isPaused = false;
    this.#acceptWaiting(listening);
    await drain.over;
    await queueTaken(listening);
    this.#queue.settle((client) => client.listening === listening);
    // A new owner may have come in between.
    if (listening.leaving?.drain !== drain) return;
    this.#all.delete(listening);
    closeServer(listening.server);
  }

  #on(address: Address): PortableListening | undefined {
    for (const listening of this.#all) {
      if (isSameAddress(listening.bound, address) || isSameAddress(listening.asked, address))
        return listening;
    }
    return undefined;
  }
}

/** Turns the event loop until it brings no further connection, or has brought a whole queue of them. */
async function queueTaken(listening: PortableListening): Promise<void> {
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
