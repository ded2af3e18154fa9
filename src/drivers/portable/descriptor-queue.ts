/**
 * Clients that were accepted while there was no descriptor for their dials. Libuv can't leave them in the kernel's
 * queue, so they wait here for a moment, as few as the reserve of descriptors has room for.
 */
import { descriptorWaitMs } from '../shared.ts';

interface DescriptorQueueDeps<Client> {
  /** Serves the client if there is a descriptor for its dial now. Returns whether it does. */
  admit(client: Client): boolean;
  turnAway(client: Client): void;
}

export class DescriptorQueue<Client> {
  readonly #deps: DescriptorQueueDeps<Client>;
  readonly #timers = new Map<Client, NodeJS.Timeout>();

  constructor(deps: DescriptorQueueDeps<Client>) {
    this.#deps = deps;
  }

  add(client: Client): void {
    this.#timers.set(
      client,
      setTimeout(() => this.#afterPoll(client), descriptorWaitMs),
    );
  }

  /** After a pause of the process, timers come ahead of the ends of sessions that free descriptors. */
  #afterPoll(client: Client): void {
    setImmediate(() => this.settle((one) => one === client));
  }

  descriptorFreed(): void {
    for (const client of this.#timers.keys()) {
      if (!this.#deps.admit(client)) return;
      this.#forget(client);
    }
  }

  /** Ends the wait of these: they are admitted now or turned away. */
  settle(mustEnd: (client: Client) => boolean): void {
    for (const client of this.#timers.keys()) {
      if (!mustEnd(client)) continue;
      this.#forget(client);
      if (!this.#deps.admit(client)) this.#deps.turnAway(client);
    }
  }

  #forget(client: Client): void {
    clearTimeout(this.#timers.get(client));
    this.#timers.delete(client);
  }
}
