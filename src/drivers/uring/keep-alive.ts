/**
 * Turns keep-alive on for the connections that were dialed, once they are a second old, or two. Most are over by then,
 * and a connection is spared two of some ten system calls. Accepted ones inherit it from the socket that listens.
 */
import type { Sockets } from './sockets.ts';

export interface DialedLink {
  readonly fd: number;
  readonly serial: number;
}

export class KeepAlive {
  /** When `due` wants to be called. */
  dueMs = Number.POSITIVE_INFINITY;
  readonly #sockets: Pick<Sockets, 'keepAlive'>;
  /** Dialed since the last look, and before it. */
  #young = new Dialed();
  #older = new Dialed();

  constructor(sockets: Pick<Sockets, 'keepAlive'>) {
    this.#sockets = sockets;
  }

  /** Returns whether `dueMs` has changed. */
  dialed(link: DialedLink, nowMs: number): boolean {
    this.#young.add(link);
    if (this.dueMs !== Number.POSITIVE_INFINITY) return false;
    this.dueMs = nowMs + everyMs;
    return true;
  }

  due(nowMs: number): void {
    const older = this.#older;
    for (const fd of older.descriptors()) this.#sockets.keepAlive(fd);
    older.clear();
    this.#older = this.#young;
    this.#young = older;
    this.dueMs = this.#older.isEmpty ? Number.POSITIVE_INFINITY : nowMs + everyMs;
  }
}

/** Links are used again for other connections: a serial is of one. */
class Dialed {
  readonly #links: DialedLink[] = [];
  readonly #serials: number[] = [];

  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  add(link: DialedLink): void {
    this.#links.push(link);
    this.#serials.push(link.serial);
  }

  /** The descriptors of the connections that are still open. */
  descriptors(): readonly number[] {
    return this.#links
      .filter((link, index) => link.serial === this.#serials[index] && link.fd >= 0)
      .map(({ fd }) => fd);
  }

  clear(): void {
    this.#links.length = 0;
    this.#serials.length = 0;
  }
}

const everyMs = 1_000;
