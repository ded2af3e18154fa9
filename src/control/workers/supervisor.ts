/**
 * The workers of one driver as one: tells all of them the same, listens on all of them, and replaces one that died.
 * What a dead worker held is given back, and its successor learns all that the others know and takes over the sockets
 * that the dead one listened on, with the clients that wait there.
 */
import { EventEmitter, once } from 'node:events';
import { closeSync } from 'node:fs';
import { formatAddress } from '../../config/addresses.ts';
import type { LogConfig } from '../../config/config.ts';
import type { Address } from '../../core/contract.ts';
import type { Ledger, LedgerCapacity } from '../../core/ledger/ledger.ts';
import type { Plan } from '../../core/plan.ts';
import type { Notice, WorkerNews } from '../../dataplane/messages.ts';
import type { DriverModule, ListeningSocket, UnlistenOptions } from '../../drivers/driver.ts';
import { type Binding, type BoundAddresses, placeOf } from './bound-addresses.ts';
import { noPlan } from './group-plan.ts';
import { WorkerThread } from './worker-thread.ts';

export interface SupervisorDeps {
  readonly driver: DriverModule;
  readonly workers: number;
  /** The number of its first worker; the others follow. No two workers of a process have the same. */
  readonly firstWorker: number;
  readonly ledgerBuffer: SharedArrayBuffer;
  readonly capacity: LedgerCapacity;
  /** The main thread's view of the ledger. */
  readonly ledger: Ledger;
  /** The log settings that hold when a worker starts. */
  log(): LogConfig;
  readonly bound: BoundAddresses;
  /** The share of each worker of all that peers can make the proxy hold. */
  readonly bufferBytes: number;
  /** The memory of what TLS session tickets are sealed with. */
  readonly ticketKeys: SharedArrayBuffer;
  /** A worker has found something. */
  news(news: WorkerNews): void;
  workerDied(worker: number, error: Error): void;
  /** Another one is about to take the place of one that has ended. */
  workerReplaced(): void;
  /** A successor could not listen where its predecessor did. */
  problem(text: string): void;
}

/** So that a worker that can't even start does not keep the machine busy with trying. */
const restartDelayMs = 100;
/** Workers that die again and again must not keep an address from being taken or given up. */
const mostDeaths = 3;

export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #threads: (WorkerThread | undefined)[] = [];
  /** Sockets that dead workers left, until their successors have them. */
  readonly #unclaimed = new Set<ListeningSocket & { readonly worker: number }>();
  /** What a successor must be told too: the plan, and a drain that is under way. */
  #plan: Extract<Notice, { readonly kind: 'plan' }> | undefined;
  #drain: Extract<Notice, { readonly kind: 'drain' }> | undefined;
  #drained = new Set<number>();
  #stopping = false;
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    for (let index = 0; index < deps.workers; index++) this.#start(deps.firstWorker + index);
  }

  /** The plan that the workers follow. */
  get plan(): Plan {
    return this.#plan?.plan ?? noPlan;
  }

  /** The numbers of the workers that run. */
  get numbers(): readonly number[] {
    return this.#running().map(({ index }) => index);
  }

  /** The threads that run. */
  get threads(): readonly WorkerThread[] {
    return this.#running();
  }

  /** Sends a notice to all workers; one that lasts is also sent to those that take the place of dead ones. */
  broadcast(notice: Notice): void {
    if (notice.kind === 'plan') this.#plan = notice;
    if (notice.kind === 'drain') this.#drain = notice;
    for (const thread of this.#running()) thread.post(notice);
  }

  /**
   * Listens on every worker that can, or on none: rejects with the system's error. Fulfils with the address
   * as it is bound, which tells the port where 0 was asked for. An address that is listened on already is handed over
   * to the listener named now; that never fails. A worker that dies meanwhile is waited for, as its successor.
   */
  async listen(binding: Binding, replaces = false): Promise<Binding> {
    const { bound } = this.#deps;
    const isKnown = bound.has(placeOf(binding));
    // The successor of a worker that dies from now on listens for the listener named now.
    if (isKnown) bound.set(placeOf(binding), binding);
    const listening = new Set<WorkerThread>();
    let { address } = binding;
    try {
      for (let deaths = 0; ; ) {
        await this.#allRunning();
        if (this.#stopping) throw new Error('Expected running workers, but they are stopping');
        const thread = this.#listenersOf(address).find((one) => !listening.has(one));
        if (thread === undefined) break;
        const options = { shared: this.#deps.driver.sharesPorts, replaces, isPaused: binding.isPaused };
        try {
          address = await thread.ask({ kind: 'listen', listener: binding.listener, address, options });
          listening.add(thread);
        } catch (error) {
          const hasDied = !this.#running().includes(thread);
          if (!hasDied || ++deaths === mostDeaths) throw error;
        }
      }
    } catch (error) {
      if (isKnown) return binding;
      await Promise.allSettled(
        [...listening].map((thread) => thread.ask({ kind: 'unlisten', address, options: {} })),
      );
      throw error;
    }
    const made = { ...binding, address };
    bound.set(placeOf(made), made);
    return made;
  }

  async unlisten(address: Address, options: UnlistenOptions = {}): Promise<void> {
    const { bound, driver } = this.#deps;
    for (let deaths = 0; deaths < mostDeaths; deaths++) {
      await this.#allRunning();
      const asked = this.#listenersOf(address);
      await Promise.allSettled(asked.map((thread) => thread.ask({ kind: 'unlisten', address, options })));
      // Where a worker died meanwhile, its successor has the clients that waited.
      if (this.#stopping || asked.every((thread) => this.#running().includes(thread))) break;
    }
    bound.delete(placeOf({ address, driver: driver.name }));
  }

  /** Lets the sessions finish until then and cuts the rest; fulfils when none is left. */
  async drain(untilMs: number): Promise<void> {
    this.#drained.clear();
    this.broadcast({ kind: 'drain', untilMs });
    await this.#until(() => this.#running().every((thread) => this.#drained.has(thread.index)));
  }

  /** Ends all workers; those that don't within a second are terminated. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.broadcast({ kind: 'stop' });
    const lastResort = setTimeout(() => {
      for (const thread of this.#running()) void thread.terminate();
    }, 1_000);
    await this.#until(() => this.#running().length === 0);
    clearTimeout(lastResort);
    for (const { fd } of this.#unclaimed) closeSync(fd);
    this.#unclaimed.clear();
  }

  #start(worker: number): void {
    if (this.#stopping) return;
    const { driver, bound, ledgerBuffer, capacity, ledger, log, bufferBytes, ticketKeys } = this.#deps;
    const init = { worker, ledger: ledgerBuffer, capacity, log: log(), bufferBytes, ticketKeys };
    const thread = new WorkerThread(driver, init, {
      news: (news) => this.#deps.news(news),
      drained: () => {
        this.#drained.add(worker);
        this.#changes.emit('change');
      },
      exited: () => {
        ledger.lock.breakFor(worker + 1);
        ledger.wakeFds.forget(worker);
      },
      ended: (error, left) => {
        this.#threads[worker] = undefined;
        this.#keep(worker, left);
        ledger.releaseAllOf(worker);
        this.broadcast({ kind: 'woken' });
        if (error !== undefined) this.#deps.workerDied(worker, error);
        if (!this.#stopping) {
          this.#deps.workerReplaced();
          setTimeout(() => this.#start(worker), restartDelayMs);
        }
        this.#changes.emit('change');
      },
    });
    this.#threads[worker] = thread;
    if (this.#plan !== undefined) thread.post(this.#plan);
    for (const binding of bound.values()) {
      if (binding.driver === driver.name) this.#relisten(thread, binding);
    }
    if (this.#drain !== undefined) thread.post(this.#drain);
    this.#changes.emit('change');
  }

  #relisten(thread: WorkerThread, { listener, address, isPaused }: Binding): void {
    if (!this.#listenersOf(address).includes(thread)) return;
    const socket = [...this.#unclaimed].find(
      (one) => one.worker === thread.index && formatAddress(one.address) === formatAddress(address),
    );
    const options = { shared: this.#deps.driver.sharesPorts, adopt: socket?.fd, isPaused };
    thread.ask({ kind: 'listen', listener, address, options }).then(
      () => socket && this.#unclaimed.delete(socket),
      (error: Error) => this.#deps.problem(`Worker ${thread.index} can't listen: ${error.message}`),
    );
  }

  /** Keeps the sockets for the successor. Those that a successor had not adopted yet are here already. */
  #keep(worker: number, left: readonly ListeningSocket[]): void {
    const { bound, driver } = this.#deps;
    for (const socket of left) {
      const isKnown = [...this.#unclaimed].some(({ fd }) => fd === socket.fd);
      // No client waits at an address that was still to be bound on all workers, or is no longer wanted.
      if (!bound.has(placeOf({ address: socket.address, driver: driver.name }))) closeSync(socket.fd);
      else if (!isKnown) this.#unclaimed.add({ ...socket, worker });
    }
  }

  /** Waits until workers that died have their successors, which is soon. */
  async #allRunning(): Promise<void> {
    await this.#until(() => this.#stopping || this.#running().length === this.#deps.workers);
  }

  /** A unix socket can't be shared: the first worker has it, and nobody else while that is being replaced. */
  #listenersOf(address: Address): readonly WorkerThread[] {
    const { firstWorker } = this.#deps;
    return this.#running().filter(({ index }) => !('path' in address) || index === firstWorker);
  }

  #running(): readonly WorkerThread[] {
    return this.#threads.filter((thread) => thread !== undefined);
  }

  async #until(claim: () => boolean): Promise<void> {
    while (!claim()) await once(this.#changes, 'change');
  }
}
