/**
 * A driver in a thread of its own, as it ships, between clients and backends of the test's own. A small brain beside the
 * driver does what the core would (`brain.ts`); what the test commands goes there as messages.
 */
import { once } from 'node:events';
import { closeSync, readdirSync, readlinkSync, writeSync } from 'node:fs';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { freePort } from '../../bench/stage/free-ports.ts';
import type { Address, LinkId } from '../../src/core/contract.ts';
import { monotonicMs } from '../../src/dataplane/clock.ts';
import type { DriverCommand } from '../../src/drivers/driver.ts';
import { threadEntry } from '../support/thread-entry.ts';
import {
  backendSlot,
  type DialOptions,
  type DriverName,
  type DriverOptions,
  type FromThread,
  listenerSlot,
  type Question,
  type RigEvent,
  type Rules,
  shared,
  type ToThread,
} from './messages.ts';
import { connect, inTime, listenOn, pause, Signal } from './peers.ts';

export { backendSlot } from './messages.ts';

export type EventOf<Kind extends RigEvent['kind']> = Extract<RigEvent, { readonly kind: Kind }>;

/** What peers speak over their connections. */
export interface Speech {
  client(socket: net.Socket): Promise<net.Socket>;
  backend(socket: net.Socket): net.Socket;
}

export interface RigOptions extends DriverOptions {
  readonly speech?: Speech;
}

const plain: Speech = { client: async (socket) => socket, backend: (socket) => socket };

/** A thread for drivers, one after the other. */
export class DriverThread {
  readonly words = new Int32Array(new SharedArrayBuffer(4 * shared.words));
  onMessage: (message: FromThread) => void = () => {};
  /** To write to after each message, where the driver sleeps outside of its event loop. */
  #wakeFd: number | undefined;
  readonly #worker: Worker;
  readonly #asked = new Map<number, { fulfil(value: unknown): void; reject(error: Error): void }>();
  #lastRequest = 0;

  private constructor() {
    this.#worker = new Worker(threadEntry(new URL('./driver-thread.ts', import.meta.url)), {
      workerData: this.words.buffer,
    });
    this.#worker.on('message', (message: FromThread) => this.#hear(message));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#asked.values()) reject(error);
      this.onMessage({ kind: 'failed', request: 0, code: 'EDIED', message: `${error.stack}` });
    });
  }

  static async start(): Promise<DriverThread> {
    const thread = new DriverThread();
    await inTime(once(thread.#worker, 'message'), 'thread for a driver');
    return thread;
  }

  tell(message: ToThread): void {
    this.#worker.postMessage(message);
    if (this.#wakeFd !== undefined) writeSync(this.#wakeFd, one);
  }

  ask<T>(question: Question): Promise<T> {
    const request = ++this.#lastRequest;
    const answer = new Promise<unknown>((fulfil, reject) => this.#asked.set(request, { fulfil, reject }));
    this.tell({ kind: 'ask', request, question });
    // Each question has one type of answer, and the thread gives that.
    return inTime(answer as Promise<T>, question.what);
  }

  #hear(message: FromThread): void {
    if (message.kind === 'answer' || message.kind === 'failed') {
      const asked = this.#asked.get(message.request);
      this.#asked.delete(message.request);
      if (message.kind === 'answer') {
        this.#setWakeFd(message.wakeFd);
        return asked?.fulfil(message.value);
      }
      asked?.reject(Object.assign(new Error(message.message), { code: message.code }));
    } else this.onMessage(message);
  }

  /** A driver that has closed leaves it to whom it was given. */
  #setWakeFd(wakeFd: number | undefined): void {
    if (this.#wakeFd !== undefined && wakeFd === undefined) closeSync(this.#wakeFd);
    this.#wakeFd = wakeFd;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
    this.#setWakeFd(undefined);
  }
}

/** An eventfd takes a number of eight bytes. */
const one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

export class Rig {
  /** Told of each event, in order, some time after the driver has emitted it. */
  onEvent: ((event: RigEvent) => void) | undefined;
  readonly deadlinesMs: number[] = [];
  /** What broke a promise of the contract: empty, if all is well. Known once it is disposed of. */
  violations: readonly string[] = [];
  readonly #thread: DriverThread;
  readonly #ownsThread: boolean;
  readonly #speech: Speech;
  /** Clients whose sessions are not over. */
  #open = 0;
  readonly #events: RigEvent[] = [];
  readonly #changed = new Signal();
  readonly #sockets = new Set<net.Socket>();
  readonly #servers = new Set<net.Server>();
  #rules: Rules = { target: undefined, joinsAtOnce: true, inspectsAccepted: false, discards: 0 };
  #death: string | undefined;
  #isDisposed = false;

  private constructor(thread: DriverThread, ownsThread: boolean, speech: Speech) {
    this.#thread = thread;
    this.#ownsThread = ownsThread;
    this.#speech = speech;
  }

  /** Without a thread it starts one, and ends it with itself. */
  static async start(driver: DriverName, options: RigOptions = {}, thread?: DriverThread): Promise<Rig> {
    const { speech = plain, ...others } = options;
    const rig = new Rig(thread ?? (await DriverThread.start()), thread === undefined, speech);
    rig.#thread.onMessage = (message) => rig.#hear(message);
    rig.#thread.words.fill(0);
    await rig.#thread.ask({ what: 'create', driver, options: others });
    return rig;
  }

  #hear(message: FromThread): void {
    if (message.kind === 'event') this.#note(message.event);
    else if (message.kind === 'deadline') this.deadlinesMs.push(message.atMs);
    else if (message.kind === 'failed') this.#death = message.message;
    this.#changed.fire();
  }

  #note(event: RigEvent): void {
    if (event.kind === 'accepted') this.#open++;
    if (event.kind === 'over') this.#open--;
    this.#events.push(event);
    this.onEvent?.(event);
  }

  get bytesToBackend(): number {
    return Atomics.load(this.#thread.words, shared.toBackend);
  }

  get bytesToClient(): number {
    return Atomics.load(this.#thread.words, shared.toClient);
  }

  /** Of the driver: as it said last. */
  get bytesInBuffers(): number {
    return Atomics.load(this.#thread.words, shared.buffersHold);
  }

  /** The clock that all threads share. */
  now(): number {
    return monotonicMs();
  }

  /** Where accepted links are dialed at once; undefined leaves them held. */
  get target(): Address | undefined {
    return this.#rules.target;
  }

  set target(target: Address | undefined) {
    this.set({ target });
  }

  set(rules: Partial<Rules>): void {
    this.#rules = { ...this.#rules, ...rules };
    this.#thread.tell({ kind: 'rules', rules: this.#rules });
  }

  /** All of them in one turn of the driver. */
  execute(...commands: DriverCommand[]): void {
    this.#thread.tell({ kind: 'execute', commands });
  }

  dial(link: LinkId, address: Address, options: DialOptions = {}): void {
    this.#thread.tell({ kind: 'dial', link, address, options });
  }

  /** Resets the backend's link that was dialed for a client. */
  resetBackend(link: LinkId): void {
    this.#thread.tell({ kind: 'reset-backend', link });
  }

  /** Joins a client with the backend that is connected for it. */
  join(link: LinkId): void {
    this.execute({ kind: 'join', client: link, backend: -1, slot: backendSlot, first: undefined });
  }

  inspect(link: LinkId, beyond: number): void {
    this.execute({ kind: 'inspect', link, beyond });
  }

  discard(link: LinkId, bytes: number): void {
    this.execute({ kind: 'discard', link, bytes });
  }

  /** Closes a client's link, and its backend's with it. */
  close(link: LinkId, how: 'reset' | 'fin'): void {
    this.#thread.tell({ kind: 'close', link, how });
  }

  /** With several, the driver hears of each before time goes on. */
  wakeAt(...deadlinesMs: readonly (number | undefined)[]): void {
    this.#thread.tell({ kind: 'wake-at', deadlinesMs });
  }

  /** The driver's thread sleeps until `resume`, as under SIGSTOP. */
  async stall(): Promise<void> {
    Atomics.store(this.#thread.words, shared.isStalled, 1);
    this.#thread.tell({ kind: 'stall' });
    while (Atomics.load(this.#thread.words, shared.isStalled) === 1) await pause(1);
  }

  resume(): void {
    Atomics.store(this.#thread.words, shared.isStalled, 0);
    Atomics.notify(this.#thread.words, shared.isStalled);
  }

  ask<T>(question: Question): Promise<T> {
    return this.#thread.ask(question);
  }

  get openLinks(): number {
    return this.#open;
  }

  count(kind: RigEvent['kind']): number {
    return this.#events.filter((event) => event.kind === kind).length;
  }

  /** The next event of this kind that no one has taken yet. */
  async event<Kind extends RigEvent['kind']>(kind: Kind): Promise<EventOf<Kind>> {
    const isWanted = (event: RigEvent): event is EventOf<Kind> => event.kind === kind;
    for (;;) {
      const event = this.#events.find(isWanted);
      if (event !== undefined) {
        this.#events.splice(this.#events.indexOf(event), 1);
        return event;
      }
      await this.#next(`event ${kind}`);
    }
  }

  /** Waits until a claim holds, looking at every event. */
  async until(claim: string, holds: () => boolean): Promise<void> {
    while (!holds()) await this.#next(claim);
  }

  async #next(claim: string): Promise<void> {
    if (this.#death !== undefined) throw new Error(`The driver's thread has died: ${this.#death}`);
    await inTime(this.#changed.next(), claim);
  }

  /** Without an address, at a port that nobody is given once the driver has left it. */
  async listen(where?: Address, options = {}): Promise<Address> {
    const address = where ?? { host: '127.0.0.1', port: await freePort() };
    return this.ask({ what: 'listen', listener: listenerSlot, address, shared: false, ...options });
  }

  unlisten(address: Address, isSucceeded = false): Promise<void> {
    return this.ask({ what: 'unlisten', address, isSucceeded });
  }

  /** A backend of the test's own, which accepted links are dialed to from now on. */
  async backend(
    serve: (socket: net.Socket) => void,
    address: Address = { host: '127.0.0.1', port: 0 },
    options: net.ServerOpts = {},
  ): Promise<Address> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, ...options }, (socket) => {
      this.#keep(socket);
      serve(this.#keep(this.#speech.backend(socket)));
    });
    this.#servers.add(server);
    const target = await listenOn(server, address);
    this.set({ target });
    return target;
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

  /** A client and the backend's end of its session, joined by the driver. */
  async pair(listening?: Address, backendAddress?: Address): Promise<Pair> {
    const connectedBefore = this.count('connected');
    const arrivals: net.Socket[] = [];
    await this.backend((socket) => {
      arrivals.push(socket);
      this.#changed.fire();
    }, backendAddress);
    const client = await this.client(await this.listen(listening));
    await this.until(
      'a backend that is connected',
      () => arrivals.length === 1 && this.count('connected') > connectedBefore,
    );
    const [backend] = arrivals;
    if (backend === undefined) throw new Error('The backend was reached, and is not there');
    return { client, backend };
  }

  /** Closes the driver, which resets every link that it has. */
  async closeDriver(): Promise<void> {
    this.#isDisposed = true;
    this.violations = await this.ask({ what: 'dispose' });
  }

  /** Closes every peer, upon which every link is to end by itself, and then the driver. */
  async dispose(): Promise<void> {
    this.resume();
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    if (!this.#isDisposed) {
      await this.until('all links ending with their peers', () => this.#open === 0);
      await this.closeDriver();
    }
    if (this.#ownsThread) await this.#thread.end();
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
