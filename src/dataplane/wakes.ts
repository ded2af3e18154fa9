/**
 * How a worker wakes another: at once and past the main thread, which may be busy. A message says whom; a worker that
 * blocks outside its event loop is also written eight bytes to its `wakeFd`, as the ledger has it.
 */
import { writeSync } from 'node:fs';
import { BroadcastChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { Ledger } from '../core/ledger/ledger.ts';

export class WorkerWakes {
  readonly #worker: number;
  readonly #ledger: Ledger;
  readonly #channel: BroadcastChannel;
  readonly #onWoken: () => void;

  constructor(worker: number, ledger: Ledger, onWoken: () => void) {
    this.#worker = worker;
    this.#ledger = ledger;
    this.#onWoken = onWoken;
    this.#channel = new BroadcastChannel(channelName);
    this.#channel.onmessage = ({ data }: { readonly data: number }) => this.#received(data);
  }

  wake(worker: number): void {
    this.#channel.postMessage(worker);
    this.#ledger.wakeFds.use(worker, (fd) => writeSync(fd, wakeWord));
  }

  /** Takes in what has come while the event loop did not run. */
  receive(): void {
    for (;;) {
      // The types know ports alone; Node takes both.
      const received = receiveMessageOnPort(this.#channel as never) as
        | { readonly message: number }
        | undefined;
      if (received === undefined) return;
      this.#received(received.message);
    }
  }

  close(): void {
    this.#channel.close();
  }

  #received(worker: number): void {
    if (worker === this.#worker) this.#onWoken();
  }
}

/** A worker of another service in this process may be woken too: it finds nothing to do. */
const channelName = 'sluice-wake';

/** What an eventfd takes: the number 1 in eight bytes. */
export const wakeWord = new Uint8Array(new BigUint64Array([1n]).buffer);
