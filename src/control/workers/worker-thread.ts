/** One worker thread as the control plane sees it: messages out, answers in, and its end. */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../beside.ts';
import type { Address } from '../../core/contract.ts';
import type { SessionPage } from '../../core/session-list.ts';
import type { FromWorker, ToWorker, WorkerInit, WorkerNews } from '../../dataplane/messages.ts';
import { wakeWord } from '../../dataplane/wakes.ts';
import type { DriverModule, ListeningSocket } from '../../drivers/driver.ts';
import { showSourcePlaces } from '../../source-places.ts';

export interface WorkerEvents {
  drained(): void;
  news(news: WorkerNews): void;
  /** The thread is gone, and what it held is about to be given back. */
  exited(): void;
  /**
   * The thread is gone; `error` is what it died of, if it did not end by itself. `left` are the sockets that it
   * listened on still: from now on they are the callee's.
   */
  ended(error: Error | undefined, left: readonly ListeningSocket[]): void;
}

type Request = Extract<ToWorker, { readonly request: number }>;
/** A request without its number, for each kind by itself. */
type Unnumbered<R extends Request = Request> = R extends Request ? Omit<R, 'request'> : never;
/** What answers it. */
type AnswerTo<R extends Unnumbered> = R extends { readonly kind: 'list-sessions' } ? SessionPage : Address;

export class WorkerThread {
  readonly index: number;
  /** Among all threads of the process, so that what one has named is never another's. */
  readonly generation = ++threads;
  readonly #thread: Worker;
  readonly #driver: DriverModule;
  readonly #resources: SharedArrayBuffer | undefined;
  readonly #events: WorkerEvents;
  readonly #pending = new Map<number, Pending>();
  #requests = 0;
  #wakeFd: number | undefined;
  #error: Error | undefined;
  #hasEnded = false;

  constructor(driver: DriverModule, init: Omit<WorkerInit, 'driver' | 'resources'>, events: WorkerEvents) {
    this.index = init.worker;
    this.#driver = driver;
    this.#resources = driver.resources && new SharedArrayBuffer(driver.resources.bytes);
    this.#events = events;
    const workerData: WorkerInit = { ...init, driver: driver.name, resources: this.#resources };
    this.#thread = new Worker(workerEntry, {
      workerData,
      name: `sluice-worker-${this.index}`,
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    this.#thread.on('message', (message: FromWorker) => this.#onMessage(message));
    this.#thread.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
      showSourcePlaces(this.#error);
    });
    this.#thread.on('exit', () => this.#end());
  }

  post(message: ToWorker): void {
    this.#thread.postMessage(message);
    this.#wake();
  }

  /**
   * Fulfils with the address in question, or with the page that was asked for; rejects with the system's error, or
   * where the thread ends first, or has ended.
   */
  ask<R extends Unnumbered>(request: R): Promise<AnswerTo<R>> {
    if (this.#hasEnded) return Promise.reject(new Error(ended));
    const number = this.#requests++;
    return new Promise((resolve, reject) => {
      // A worker answers each request by its kind.
      this.#pending.set(number, { resolve: (answer) => resolve(answer as AnswerTo<R>), reject });
      // Each kind of request is whole with its number.
      this.post({ ...request, request: number } as Request);
    });
  }

  /** Ends the thread without its help; for one that does not answer `stop`. */
  async terminate(): Promise<void> {
    const terminated = this.#thread.terminate();
    this.#wake();
    await terminated;
  }

  #wake(): void {
    if (this.#wakeFd !== undefined) writeSync(this.#wakeFd, wakeWord);
  }

  #onMessage(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#wakeFd = message.wakeFd;
        // It may have slept through what was posted before.
        return this.#wake();
      case 'done':
        return this.#answered(message.request)?.resolve(message.address);
      case 'sessions':
        return this.#answered(message.request)?.resolve(message.page);
      case 'failed':
        return this.#answered(message.request)?.reject(
          Object.assign(new Error(message.message), { code: message.code }),
        );
      case 'drained':
        return this.#events.drained();
      default:
        return this.#events.news(message);
    }
  }

  #answered(request: number): Pending | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending;
  }

  #end(): void {
    this.#events.exited();
    this.#wakeFd = undefined;
    this.#hasEnded = true;
    const left = (this.#resources && this.#driver.resources?.reclaim(this.#resources)) ?? [];
    for (const { reject } of this.#pending.values()) reject(new Error(ended));
    this.#pending.clear();
    this.#events.ended(this.#error, left);
  }
}

let threads = 0;

const ended = 'The worker ended';

interface Pending {
  resolve(answer: Address | SessionPage): void;
  reject(error: Error): void;
}

/**
 * What a worker makes anew is short-lived, or a session's and long-lived. The engine would let the room for it grow
 * to 48 MB as sessions come and keep it: 1,000 bytes for each of 9,000 idle ones.
 */
const maxYoungGenerationSizeMb = 3;
