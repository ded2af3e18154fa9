/**
 * Dials to unix sockets. There is nothing to wait for, but for room in the backend's accept queue: the system says so
 * at once (EAGAIN), and tells nobody when there is some. So it is asked again after a while, until the core has no
 * time left for the dial and closes its link.
 */
import { EAGAIN } from './kernel.ts';
import type { Link } from './link.ts';
import type { Sockets } from './sockets.ts';

interface WaitingDial {
  readonly link: Link;
  readonly serial: number;
  readonly sockaddr: Uint8Array;
  pauseMs: number;
  dueMs: number;
}

export class UnixDials {
  /** When `due` wants to be called. */
  dueMs = Number.POSITIVE_INFINITY;
  readonly #sockets: Sockets;
  #waiting: WaitingDial[] = [];

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  dial(link: Link, sockaddr: Uint8Array, nowMs: number): void {
    const errno = this.#sockets.connectUnix(link.fd, sockaddr);
    if (errno !== EAGAIN) return link.connectedUnix(errno);
    this.#waitWith({
      link,
      serial: link.serial,
      sockaddr,
      pauseMs: firstPauseMs,
      dueMs: nowMs + firstPauseMs,
    });
  }

  due(nowMs: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.dueMs = Number.POSITIVE_INFINITY;
    for (const dial of waiting) {
      if (nowMs >= dial.dueMs) this.#dialAgain(dial, nowMs);
      else this.#waitWith(dial);
    }
  }

  #dialAgain(dial: WaitingDial, nowMs: number): void {
    const { link, serial, sockaddr } = dial;
    // It was closed, and its number may be another's.
    if (link.serial !== serial || link.fd < 0) return;
    const errno = this.#sockets.connectUnix(link.fd, sockaddr);
    if (errno !== EAGAIN) return link.connectedUnix(errno);
    dial.pauseMs = Math.min(2 * dial.pauseMs, longestPauseMs);
    dial.dueMs = nowMs + dial.pauseMs;
    this.#waitWith(dial);
  }

  #waitWith(dial: WaitingDial): void {
    this.#waiting.push(dial);
    this.dueMs = Math.min(this.dueMs, dial.dueMs);
  }
}

const firstPauseMs = 1;
const longestPauseMs = 50;
