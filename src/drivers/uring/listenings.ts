/** All the addresses that a driver listens on, and the times at which something is due for them. */
import type { Address, ListenerSlot } from '../../core/contract.ts';
import type { ListenOptions, UnlistenOptions } from '../driver.ts';
import { descriptorWaitMs, isSameAddress } from '../shared.ts';
import { bindTo } from './binding.ts';
import type { Descriptors } from './descriptors.ts';
import type { KernelResources } from './kernel-resources.ts';
import type { Libc } from './libc.ts';
import { Listening } from './listening.ts';
import type { Ring } from './ring.ts';
import type { Sockets } from './sockets.ts';

interface ListeningsDeps {
  readonly libc: Libc;
  readonly ring: Ring;
  readonly sockets: Sockets;
  readonly resources: KernelResources;
  readonly descriptors: Descriptors;
  now(): number;
  /** Takes over the descriptor of an accepted connection. */
  accepted(listening: Listening, fd: number): void;
  /** Closes an accepted connection that there are too few descriptors for. */
  turnAway(listening: Listening, fd: number): void;
  /** Clients wait that there are no descriptors for. */
  exhausted(): void;
  /** `dueMs` may have changed. */
  rescheduled(): void;
  /** A promise that `unlisten` gave is settled. */
  settled(): void;
}

export class Listenings {
  readonly #deps: ListeningsDeps;
  readonly #depsOfEach: ConstructorParameters<typeof Listening>[0];
  readonly #table: (Listening | undefined)[] = [];
  /** When `due` wants to be called. */
  dueMs = Number.POSITIVE_INFINITY;
  #resumeMs = Number.POSITIVE_INFINITY;
  /** When the core is told that nobody could be accepted for a while. */
  #stuckMs = Number.POSITIVE_INFINITY;

  constructor(deps: ListeningsDeps) {
    this.#deps = deps;
    this.#depsOfEach = {
      ...deps,
      accepted: (listening, fd) => {
        this.#stuckMs = Number.POSITIVE_INFINITY;
        deps.accepted(listening, fd);
      },
      exhausted: (resumeMs) => {
        this.#resumeMs = Math.min(this.#resumeMs, resumeMs);
        deps.descriptors.awaited = () => this.#descriptorFreed();
        this.#stuckMs = Math.min(this.#stuckMs, deps.now() + descriptorWaitMs);
        this.#reschedule();
      },
      rescheduled: () => this.#reschedule(),
      left: (listening) => this.#left(listening),
    };
  }

  /** As `Driver.listen` says. Throws a system error. */
  listen(listener: ListenerSlot, asked: Address, options: ListenOptions): Address {
    const { shared, adopt, isPaused } = options;
    const { libc, sockets, resources } = this.#deps;
    const known = this.#on(asked);
    if (known?.keep(isPaused)) {
      if (adopt !== undefined) sockets.close(adopt);
      known.listener = listener;
      this.#reschedule();
      return known.bound;
    }
    // Beside one that is leaving and can't be kept.
    const fd = adopt ?? bindTo(asked, { ...options, shared: shared || known !== undefined }, sockets, libc);
    if (adopt !== undefined) resources.listensOn(fd);
    // A unix socket may be bound by another name than the one it has got since.
    const bound = 'path' in asked ? asked : sockets.boundTo(fd);
    const free = this.#table.indexOf(undefined);
    const number = free < 0 ? this.#table.length : free;
    this.#table[number] = new Listening(this.#depsOfEach, { asked, bound, fd, number }, listener, isPaused);
    return bound;
  }

  async unlisten(address: Address, { isSucceeded = false }: UnlistenOptions = {}): Promise<void> {
    const left = this.#on(address)?.leave(isSucceeded);
    this.#reschedule();
    await left;
  }

  /** Closes them all without waiting for anybody. */
  close(): void {
    for (const listening of this.#table) {
      void listening?.leave();
      listening?.leaveNow();
    }
  }

  get areClosed(): boolean {
    return this.#table.every((one) => one === undefined);
  }

  completed(number: number, result: number): void {
    this.#table[number]?.completed(result);
  }

  cancelled(number: number): void {
    this.#table[number]?.cancelled();
  }

  due(nowMs: number): void {
    if (nowMs >= this.#stuckMs && this.#haveWaiting) {
      this.#stuckMs = nowMs + descriptorWaitMs;
      this.#deps.exhausted();
    }
    if (nowMs >= this.#resumeMs) this.#resume();
    for (const listening of this.#table) {
      if (listening !== undefined && nowMs >= listening.leaveMs) listening.due(nowMs);
    }
    this.#reschedule();
  }

  #descriptorFreed(): void {
    this.#resume();
    this.#reschedule();
  }

  get #haveWaiting(): boolean {
    const { sockets } = this.#deps;
    return this.#table.some((one) => one !== undefined && !one.isPaused && sockets.hasWaiting(one.fd));
  }

  #resume(): void {
    this.#resumeMs = Number.POSITIVE_INFINITY;
    this.#deps.descriptors.awaited = undefined;
    for (const listening of this.#table) listening?.resume();
  }

  #on(address: Address): Listening | undefined {
    return this.#table.find(
      (one) =>
        one !== undefined &&
        !one.isOver &&
        (isSameAddress(one.bound, address) || isSameAddress(one.asked, address)),
    );
  }

  #reschedule(): void {
    this.dueMs = this.#resumeMs;
    for (const listening of this.#table) {
      if (listening !== undefined) this.dueMs = Math.min(this.dueMs, listening.leaveMs);
    }
    this.#deps.rescheduled();
  }

  #left(listening: Listening): void {
    this.#table[listening.number] = undefined;
    this.#deps.sockets.close(listening.fd);
    this.#deps.settled();
  }
}
