/**
 * The workers of one driver as one: tells all of them the same, listens on all of them, and replaces one that died. What
 * a dead worker held is given back, and its successor learns all that the others know and takes over the sockets
 * that the dead one listened on, with the clients that wait there.
 */
import { EventEmitter, once } from 'node:events';
import { closeSync } from 'node:fs';
import type { LogConfig } from '../config/config.ts';
import type { Address, ListenerSlot } from '../core/contract.ts';
import type { Ledger, LedgerCapacity } from '../core/ledger/ledger.ts';
import type { Plan } from '../core/plan.ts';
import type { ToWorker } from '../dataplane/messages.ts';
import type { DriverModule, ListeningSocket, UnlistenOptions } from '../drivers/driver.ts';
import { WorkerThread } from './worker-thread.ts';

export interface SupervisorParts {
  readonly driver: DriverModule;
  readonly workers: number;
  /** The number of its first worker; the others follow. No two workers of a process have the same. */
  readonly firstWorker: number;
  readonly ledgerBuffer: SharedArrayBuffer;
  readonly capacity: LedgerCapacity;
  /** The main thread's view of the ledger. */
  readonly ledger: Ledger;
  readonly log: LogConfig;
  /** The share of each worker of all that peers can make the proxy hold. */
  readonly bufferBytes: number;
  /** The memory of what TLS session tickets are sealed with. */
  readonly ticketKeys: SharedArrayBuffer;
  logLines(lines: string): void;
  workerDied(worker: number, error: Error): void;
  /** A successor could not listen where its predecessor did. */
  problem(text: string): void;
}

/** An address that the workers listen on, and for whom. */
export interface Binding {
  readonly listener: ListenerSlot;
  readonly address: Address;
}

/** So that a worker that can't even start does not keep the machine busy with trying. */
const restartDelayMs = 100;
/** Workers that die again and again must not keep an address from being taken or given up. */
const mostDeaths = 3;

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #threads: (WorkerThread | undefined)[] = [];
  readonly #bindings = new Map<string, Binding>();
  /** By worker, the sockets that its predecessors left and it does not have yet. */
  readonly #orphans = new Map<number, Set<ListeningSocket>>();
  #plan: Plan | undefined;
  #log: LogConfig;
  #drainUntilMs: number | undefined;
  #drained = new Set<number>();
  #stopping = false;
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#log = parts.log;
    for (let index = 0; index < parts.workers; index++) {
      this.#orphans.set(parts.firstWorker + index, new Set());
      this.#start(parts.firstWorker + index);
    }
  }

  get bindings(): readonly Binding[] {
    return [...this.#bindings.values()];
  }

  follow(plan: Plan): void {
    this.#plan = plan;
    this.#tellAll({ kind: 'plan', plan });
  }

  configureLog(log: LogConfig): void {
    this.#log = log;
    this.#tellAll({ kind: 'log', log });
  }

  healthChanged(backend: number, health: 'up' | 'down'): void {
    this.#tellAll({ kind: 'health-changed', backend, health });
  }

  /**
   * Listens on every worker that can, or on none: rejects with the system's error. Fulfils with the address
   * as it is bound, which tells the port where 0 was asked for. An address that is listened on already is handed over
   * to the listener named now; that never fails. A worker that dies meanwhile is waited for, as its successor.
   */
  async listen(binding: Binding, replaces = false): Promise<Binding> {
    const known = this.#bindings.has(keyOf(binding.address));
    // Successors of those that die from now on listen for the one named now.
    if (known) this.#bindings.set(keyOf(binding.address), binding);
    const bound = new Set<WorkerThread>();
    let { address } = binding;
    try {
      for (let deaths = 0; ; ) {
        await this.#whole();
        if (this.#stopping) throw new Error('Expected running workers, but they are stopping');
        const thread = this.#listenersOf(address).find((one) => !bound.has(one));
        if (thread === undefined) break;
        const options = { shared: this.#parts.driver.sharesPorts, replaces };
        try {
          address = await thread.ask({ kind: 'listen', listener: binding.listener, address, options });
          bound.add(thread);
        } catch (error) {
          const hasDied = !this.#running().includes(thread);
          if (!hasDied || ++deaths === mostDeaths) throw error;
        }
      }
    } catch (error) {
      if (known) return binding;
      await Promise.allSettled(
        [...bound].map((thread) => thread.ask({ kind: 'unlisten', address, options: {} })),
      );
      throw error;
    }
    const held = { listener: binding.listener, address };
    this.#bindings.set(keyOf(address), held);
    return held;
  }

  async unlisten(address: Address, options: UnlistenOptions = {}): Promise<void> {
    for (let deaths = 0; deaths < mostDeaths; deaths++) {
      await this.#whole();
      const asked = this.#listenersOf(address);
      await Promise.allSettled(asked.map((thread) => thread.ask({ kind: 'unlisten', address, options })));
      // Who waits in the queue of one that died meanwhile is its successor's.
      if (this.#stopping || asked.every((thread) => this.#running().includes(thread))) break;
    }
    this.#bindings.delete(keyOf(address));
  }

  /** Lets the sessions finish until then and cuts the rest; fulfils when none is left. */
  async drain(untilMs: number): Promise<void> {
    this.#drainUntilMs = untilMs;
    this.#drained.clear();
    this.#tellAll({ kind: 'drain', untilMs });
    await this.#until(() => this.#running().every((thread) => this.#drained.has(thread.index)));
  }

  /** Ends all workers; those that don't within a second are terminated. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#tellAll({ kind: 'stop' });
    const patience = setTimeout(() => {
      for (const thread of this.#running()) void thread.terminate();
    }, 1_000);
    await this.#until(() => this.#running().length === 0);
    clearTimeout(patience);
    for (const orphans of this.#orphans.values()) closeAll(orphans);
  }

  #start(worker: number): void {
    if (this.#stopping) return;
    const { driver, ledgerBuffer, capacity, ledger, bufferBytes, ticketKeys } = this.#parts;
    const birth = { worker, ledger: ledgerBuffer, capacity, log: this.#log, bufferBytes, ticketKeys };
    const thread = new WorkerThread(driver, birth, {
      logLines: (lines) => this.#parts.logLines(lines),
      drained: () => {
        this.#drained.add(worker);
        this.#changes.emit('change');
      },
      exited: () => {
        ledger.lock.breakFor(worker + 1);
        ledger.wakeFds.set(worker, undefined);
      },
      ended: (error, left) => {
        this.#threads[worker] = undefined;
        this.#inherit(worker, left);
        ledger.releaseAllOf(worker);
        this.#tellAll({ kind: 'woken' });
        if (error !== undefined) this.#parts.workerDied(worker, error);
        if (!this.#stopping) setTimeout(() => this.#start(worker), restartDelayMs);
        this.#changes.emit('change');
      },
    });
    this.#threads[worker] = thread;
    if (this.#plan !== undefined) thread.tell({ kind: 'plan', plan: this.#plan });
    for (const binding of this.#bindings.values()) this.#relisten(thread, binding);
    if (this.#drainUntilMs !== undefined) thread.tell({ kind: 'drain', untilMs: this.#drainUntilMs });
    this.#changes.emit('change');
  }

  #relisten(thread: WorkerThread, { listener, address }: Binding): void {
    if (!this.#listenersOf(address).includes(thread)) return;
    const orphans = this.#orphansOf(thread.index);
    const orphan = [...orphans].find((one) => keyOf(one.address) === keyOf(address));
    const options = { shared: this.#parts.driver.sharesPorts, adopt: orphan?.fd };
    thread.ask({ kind: 'listen', listener, address, options }).then(
      () => orphan && orphans.delete(orphan),
      (error: Error) => this.#parts.problem(`Worker ${thread.index} can't listen: ${error.message}`),
    );
  }

  /** One that its successor had not told of having adopted is among what that one left, or is here still. */
  #inherit(worker: number, left: readonly ListeningSocket[]): void {
    const orphans = this.#orphansOf(worker);
    for (const socket of left) {
      const isKnown = [...orphans].some(({ fd }) => fd === socket.fd);
      // Where it was still to be bound on all workers, or no longer wanted, nobody waits.
      if (!this.#bindings.has(keyOf(socket.address))) closeSync(socket.fd);
      else if (!isKnown) orphans.add(socket);
    }
  }

  #orphansOf(worker: number): Set<ListeningSocket> {
    return this.#orphans.get(worker) ?? new Set();
  }

  /** Until those who died have their successors, which is soon. */
  async #whole(): Promise<void> {
    await this.#until(() => this.#stopping || this.#running().length === this.#parts.workers);
  }

  /** A unix socket can't be shared: the first worker has it. */
  #listenersOf(address: Address): readonly WorkerThread[] {
    return 'path' in address ? this.#running().slice(0, 1) : this.#running();
  }

  #running(): readonly WorkerThread[] {
    return this.#threads.filter((thread) => thread !== undefined);
  }

  #tellAll(message: Exclude<ToWorker, { readonly request: number }>): void {
    for (const thread of this.#running()) thread.tell(message);
  }

  async #until(claim: () => boolean): Promise<void> {
    while (!claim()) await once(this.#changes, 'change');
  }
}

function closeAll(orphans: Set<ListeningSocket>): void {
  for (const { fd } of orphans) closeSync(fd);
  orphans.clear();
}

function keyOf(address: Address): string {
  return 'path' in address ? `unix:${address.path}` : `${address.host} ${address.port}`;
}
