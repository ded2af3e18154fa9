/**
 * Requests that a client sends without waiting for answers are answered one after the other, each once the one before
 * has been read: else a packet full of them would have as many answers made and held at once.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Queue {
  waiting: number;
  last: Promise<void>;
}

/** Browsers wait for each answer, and so does whoever watches a process. */
const mostWaiting = 16;

export class Turns {
  readonly #queues = new WeakMap<Socket, Queue>();

  /** Fulfils when the answer may be made; undefined where too many are waited for already. */
  take(socket: Socket, response: ServerResponse): Promise<void> | undefined {
    const queue = this.#queues.get(socket) ?? { waiting: 0, last: Promise.resolve() };
    if (queue.waiting === mostWaiting) return undefined;
    this.#queues.set(socket, queue);
    queue.waiting++;
    const turn = queue.last;
    queue.last = new Promise((resolve) => {
      response.once('close', () => {
        queue.waiting--;
        resolve();
      });
    });
    return turn;
  }
}
