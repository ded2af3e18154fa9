/**
 * How a worker wakes another: at once and past the main thread, which may be busy. A worker that blocks outside its
 * event loop is written eight bytes to its `wakeFd`, as the ledger has it, and is told nothing else: a message would go
 * to all others too, of which those that sleep would take it in only when something else wakes them. One that has no
 * such descriptor is told by a message.
 */
import { writeSync } from 'node:fs';
import { BroadcastChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { Ledger } from '../core/ledger/ledger.ts';

export class WorkerWakes {
  readonly #ledger: Ledger;
  readonly #channel: BroadcastChannel;
  readonly #onWoken: () => void;

  constructor(worker: number, ledger: Ledger, onWoken: () => void) {
    this.#ledger = ledger;
    this.#onWoken = onWoken;
    this.#channel = new BroadcastChannel(channelName);
    this.#channel.onmessage = ({ data }: { readonly data: number }) => {
      if (data === worker) onWoken();
    };
  }

  wake(worker: number): void {
    const isWritten = this.#ledger.wakeFds.use(worker, (fd) => writeSync(fd, wakeWord));
    if (!isWritten) this.#channel.postMessage(worker);
  }

  /** Its `wakeFd` was written to, by whomever. What has come as messages is for others. */
  receive(): void {
    // The types know ports alone; Node takes both.
    while (receiveMessageOnPort(this.#channel as never) !== undefined);
    this.#onWoken();
  }

  close(): void {
    this.#channel.close();
  }
}

/** A worker of another service in this process may be woken too: it finds nothing to do. */
const channelName = 'sluice-wake';

/** What an eventfd takes: the number 1 in eight bytes. */
export const wakeWord = new Uint8Array(new BigUint64Array([1n]).buffer);
