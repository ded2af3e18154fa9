/**
 * The connections of the admin API, so many and no more: one that comes when there are as many evicts another, so
 * that clients that say nothing, say it slowly or do not read the answer keep no probe out.
 *
 *     waiting ── a whole request has come ─▶ answering ── the answer is made ─▶ sending
 *        ▲                                                                        │
 *        └──────────────────────── all of it is taken ◀───────────────────────────┘
 *
 * The one that goes is of the address that has most of them, so that one address can evict its own alone; there the
 * one that has waited longest, then the one that has been sent to longest. One that is being answered goes last.
 *
 * Requests that a client sends without waiting for answers are answered one after the other, each once the answer
 * before has been read: else a packet full of them would have as many answers made and held at once.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressWords, isIpv4 } from '../core/addresses.ts';

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  stage: 'waiting' | 'answering' | 'sending';
}

interface RequestQueue {
  waiting: number;
  last: Promise<void>;
}

/** Browsers wait for each answer, and so do monitors. */
const mostWaitingRequests = 16;

export class Connections {
  readonly #most: number;
  readonly #mostUnreadBytes: number;
  /** In the order in which they entered their stages. */
  readonly #open = new Map<Socket, Connection>();
  readonly #queues = new WeakMap<Socket, RequestQueue>();

  constructor(most: number, mostUnreadBytes: number) {
    this.#most = most;
    this.#mostUnreadBytes = mostUnreadBytes;
  }

  add(socket: Socket): void {
    if (this.#open.size >= this.#most) this.#evict();
    this.#open.set(socket, { socket, address: addressOf(socket), stage: 'waiting' });
    socket.once('close', () => this.#open.delete(socket));
  }

  /** Fulfils when the answer to a request may be made; undefined where too many wait on its connection already. */
  answersBefore(socket: Socket, response: ServerResponse): Promise<void> | undefined {
    const queue = this.#queues.get(socket) ?? { waiting: 0, last: Promise.resolve() };
    if (queue.waiting === mostWaitingRequests) return undefined;
    this.#queues.set(socket, queue);
    queue.waiting++;
    const before = queue.last;
    queue.last = new Promise((resolve) => {
      response.once('close', () => {
        queue.waiting--;
        resolve();
      });
    });
    return before;
  }

  enter(socket: Socket, stage: Connection['stage']): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.stage = stage;
    this.#open.delete(socket);
    this.#open.set(socket, connection);
    if (stage === 'sending') this.#boundUnread(socket);
  }

  #evict(): void {
    const all = [...this.#open.values()];
    const others = all.filter(({ stage }) => stage !== 'answering');
    const share = ofLargestShare(others.length > 0 ? others : all);
    const victim = share.find(({ stage }) => stage === 'waiting') ?? share[0];
    if (victim !== undefined) this.#end(victim);
  }

  /** Answers that nobody reads are held here, and may be long: beyond so many bytes the oldest of them go. */
  #boundUnread(newest: Socket): void {
    const sending = [...this.#open.values()].filter(({ stage }) => stage === 'sending');
    let bytes = sending.reduce((sum, { socket }) => sum + socket.writableLength, 0);
    for (const connection of sending) {
      if (bytes <= this.#mostUnreadBytes || connection.socket === newest) return;
      bytes -= connection.socket.writableLength;
      this.#end(connection);
    }
  }

  #end({ socket }: Connection): void {
    this.#open.delete(socket);
    socket.destroy();
  }
}

/** The connections of the address that has most of them, in their order. */
function ofLargestShare(connections: readonly Connection[]): readonly Connection[] {
  const shares = new Map<string, Connection[]>();
  for (const one of connections) {
    const share = shares.get(one.address);
    if (share === undefined) shares.set(one.address, [one]);
    else share.push(one);
  }
  return [...shares.values()].reduce<readonly Connection[]>(
    (largest, share) => (share.length > largest.length ? share : largest),
    [],
  );
}

/** A client with one address of an IPv6 network has its /64; the clients of a unix socket are one. */
function addressOf({ remoteAddress = '' }: Socket): string {
  const words = addressWords(remoteAddress);
  if (words === undefined) return 'unix';
  return (isIpv4(words) ? words : words.slice(0, 2)).join();
}
