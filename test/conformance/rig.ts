/**
 * A driver between clients and backends of the test's own, with the smallest brain that works in the core's
 * place: accepted → dial the target → relay. It notes every event, and whatever breaks the order that the
 * contract promises.
 */

import { readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import type { Address, CoreEvent, SessionId } from '../../src/core/contract.ts';
import type { BackendTls } from '../../src/core/plan.ts';
import type { Driver, DriverCommand, DriverHost } from '../../src/drivers/driver.ts';
import { TicketKeys } from '../../src/drivers/ticket-keys.ts';
import { connect, inTime, listenOn, Signal } from './peers.ts';

export type DriverEvent = Extract<CoreEvent, { readonly session: SessionId }>;
export type EventOf<Kind extends DriverEvent['kind']> = Extract<DriverEvent, { readonly kind: Kind }>;

export interface DialOptions {
  readonly preamble?: Uint8Array;
  readonly tls?: BackendTls;
  readonly hostName?: string;
}

export const listenerSlot = 7;

/** What peers speak over their connections. */
export interface Speech {
  client(socket: net.Socket): Promise<net.Socket>;
  backend(socket: net.Socket): net.Socket;
}

export interface RigOptions {
  readonly speech?: Speech;
  readonly ticketKeys?: TicketKeys;
}

/** As those of the workers of one process. */
const commonTicketKeys = new TicketKeys();

const plain: Speech = { client: async (socket) => socket, backend: (socket) => socket };

export class Rig implements DriverHost {
  readonly driver: Driver;
  readonly ticketKeys: TicketKeys;
  /** Where accepted sessions are dialed at once; undefined leaves them waiting. */
  target: Address | undefined;
  relaysAtOnce = true;
  /** A part of the brain that a test brings itself; what it commands is executed inside the event. */
  onEvent: ((event: DriverEvent) => void) | undefined;
  bytesToBackend = 0;
  bytesToClient = 0;
  deadlines = 0;
  /** What broke a promise of the contract: empty, if all is well. */
  readonly violations: string[] = [];
  readonly #open = new Set<SessionId>();
  readonly #events: DriverEvent[] = [];
  readonly #changed = new Signal();
  readonly #sockets = new Set<net.Socket>();
  readonly #servers = new Set<net.Server>();
  readonly #speech: Speech;
  #isExecuting = false;

  constructor(
    create: (host: DriverHost) => Driver,
    { speech = plain, ticketKeys = commonTicketKeys }: RigOptions = {},
  ) {
    this.#speech = speech;
    this.ticketKeys = ticketKeys;
    this.driver = create(this);
  }

  emit(event: CoreEvent): void {
    if (!('session' in event)) {
      this.violations.push(`${event.kind} is no driver's event`);
      return;
    }
    if (this.#isExecuting) this.violations.push(`${event.kind} was emitted inside execute`);
    const isOpen = this.#open.has(event.session);
    if (isOpen === (event.kind === 'accepted'))
      this.violations.push(`${event.kind} of session ${event.session}`);
    if (event.kind === 'accepted') this.#open.add(event.session);
    if (event.kind === 'ended') this.#open.delete(event.session);
    // The bytes belong to the driver, and are good until this returns.
    if (event.kind === 'received') this.#events.push({ ...event, bytes: Uint8Array.from(event.bytes) });
    else this.#events.push(event);
    this.onEvent?.(event);
    if (event.kind === 'accepted' && this.target !== undefined) this.dial(event.session, this.target);
    if (event.kind === 'dialed' && this.relaysAtOnce) this.execute({ kind: 'relay', session: event.session });
    if (event.kind === 'dial-failed' && this.target !== undefined) this.close(event.session, 'reset');
    this.#changed.fire();
  }

  deadline(): void {
    this.deadlines++;
    this.#changed.fire();
  }

  receive(): void {}

  now(): number {
    return performance.now();
  }

  countBytes(listener: number, toBackend: number, toClient: number): void {
    if (listener !== listenerSlot) this.violations.push(`bytes were counted for listener ${listener}`);
    this.bytesToBackend += toBackend;
    this.bytesToClient += toClient;
  }

  execute(command: DriverCommand): void {
    this.#isExecuting = true;
    this.driver.execute(command);
    this.#isExecuting = false;
  }

  dial(session: SessionId, address: Address, options: DialOptions = {}): void {
    const { preamble, tls, hostName } = options;
    this.execute({ kind: 'dial', session, backend: 0, address, preamble, tls, hostName });
  }

  inspect(session: SessionId, beyond: number): void {
    this.execute({ kind: 'inspect', session, beyond });
  }

  discard(session: SessionId, bytes: number): void {
    this.execute({ kind: 'discard', session, bytes });
  }

  close(session: SessionId, how: 'reset' | 'fin'): void {
    this.execute({ kind: 'close', session, how });
  }

  /** The sessions that are open now will not be heard of again: the test closes the driver itself. */
  endsWithDriver(): void {
    this.#open.clear();
  }

  get openSessions(): number {
    return this.#open.size;
  }

  count(kind: DriverEvent['kind']): number {
    return this.#events.filter((event) => event.kind === kind).length;
  }

  /** The next event of this kind that no one has taken yet. */
  async event<Kind extends DriverEvent['kind']>(kind: Kind): Promise<EventOf<Kind>> {
    const isWanted = (event: DriverEvent): event is EventOf<Kind> => event.kind === kind;
    for (;;) {
      const event = this.#events.find(isWanted);
      if (event !== undefined) {
        this.#events.splice(this.#events.indexOf(event), 1);
        return event;
      }
      await inTime(this.#changed.next(), `event ${kind}`);
    }
  }

  /** Waits until a claim holds, looking at every event. */
  async until(claim: string, holds: () => boolean): Promise<void> {
    while (!holds()) await inTime(this.#changed.next(), claim);
  }

  listen(address: Address = { host: '127.0.0.1', port: 0 }, shared = false): Promise<Address> {
    return this.driver.listen(listenerSlot, address, { shared });
  }

  /** A backend of the test's own, which sessions are dialed to from now on. */
  async backend(
    serve: (socket: net.Socket) => void,
    address: Address = { host: '127.0.0.1', port: 0 },
  ): Promise<Address> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#keep(socket);
      serve(this.#keep(this.#speech.backend(socket)));
    });
    this.#servers.add(server);
    this.target = await listenOn(server, address);
    return this.target;
  }

  async client(address: Address): Promise<net.Socket> {
    return this.#keep(await this.#speech.client(this.#keep(await connect(address))));
  }

  #keep(socket: net.Socket): net.Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** A client and the backend's end of its session, connected through the driver. */
  async pair(listening?: Address, backendAddress?: Address): Promise<Pair> {
    const dialedBefore = this.count('dialed');
    const arrivals: net.Socket[] = [];
    await this.backend((socket) => {
      arrivals.push(socket);
      this.#changed.fire();
    }, backendAddress);
    const client = await this.client(await this.listen(listening));
    await this.until(
      'a backend that is dialed',
      () => arrivals.length === 1 && this.count('dialed') > dialedBefore,
    );
    const [backend] = arrivals;
    if (backend === undefined) throw new Error('The backend was reached, and is not there');
    return { client, backend };
  }

  /** Closes every peer, upon which every session is to end by itself, and then the driver. */
  async dispose(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    await this.until('all sessions ending with their peers', () => this.#open.size === 0);
    await inTime(this.driver.close(), 'the driver closing');
  }
}

export interface Pair {
  readonly client: net.Socket;
  readonly backend: net.Socket;
}

/** How many sockets this process has open; undefined where the system doesn't say. */
export function openSockets(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').filter(isSocket).length;
  } catch {
    return undefined;
  }
}

function isSocket(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
  } catch {
    return false;
  }
}
