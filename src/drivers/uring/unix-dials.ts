/**
 * Dials to unix sockets. There is nothing to wait for, but for room in the backend's accept queue: the system says so
 * at once (EAGAIN), and tells nobody when there is some. So a dial for a full queue stands in line, and the first in
 * line asks again after a while, until the core has no time left for the dial and closes its link. Where there is room,
 * as many go in as there is room for: a short queue is filled as fast as the backend empties it.
 */
import { EAGAIN } from './kernel.ts';
import type { Sockets } from './sockets.ts';

/** What is dialed for. */
export interface DialingLink {
  readonly fd: number;
  readonly serial: number;
  /** 0, or the error's number. */
  connectedUnix(errno: number): void;
}

interface WaitingDial {
  readonly link: DialingLink;
  readonly serial: number;
}

/** The dials that wait for one address, in the order in which they came. */
interface DialLine {
  readonly sockaddr: Uint8Array;
  dials: WaitingDial[];
  pauseMs: number;
  dueMs: number;
}

export class UnixDials {
  /** When `due` wants to be called. */
  dueMs = Number.POSITIVE_INFINITY;
  readonly #sockets: Pick<Sockets, 'connectUnix'>;
  readonly #lines = new Map<string, DialLine>();

  constructor(sockets: Pick<Sockets, 'connectUnix'>) {
    this.#sockets = sockets;
  }

  dial(link: DialingLink, sockaddr: Uint8Array, nowMs: number): void {
    const address = Buffer.from(sockaddr).toString('latin1');
    const line = this.#lines.get(address);
    const dial = { link, serial: link.serial };
    if (line !== undefined) {
      line.dials.push(dial);
      return;
    }
    const errno = this.#sockets.connectUnix(link.fd, sockaddr);
    if (errno !== EAGAIN) return link.connectedUnix(errno);
    const dueMs = nowMs + firstPauseMs;
    this.#lines.set(address, { sockaddr, dials: [dial], pauseMs: firstPauseMs, dueMs });
    this.dueMs = Math.min(this.dueMs, dueMs);
  }

  due(nowMs: number): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    for (const [address, line] of this.#lines) {
      if (nowMs >= line.dueMs) this.#askAgain(line, nowMs);
      if (line.dials.length === 0) this.#lines.delete(address);
      else this.dueMs = Math.min(this.dueMs, line.dueMs);
    }
  }

  #askAgain(line: DialLine, nowMs: number): void {
    // Those that were closed meanwhile have left; their numbers may be others'.
    const dials = line.dials.filter(({ link, serial }) => link.serial === serial && link.fd >= 0);
    let told = 0;
    for (const { link } of dials) {
      const errno = this.#sockets.connectUnix(link.fd, line.sockaddr);
      if (errno === EAGAIN) break;
      told++;
      link.connectedUnix(errno);
    }
    line.dials = dials.slice(told);
    line.pauseMs = told > 0 ? firstPauseMs : Math.min(2 * line.pauseMs, longestPauseMs);
    line.dueMs = nowMs + line.pauseMs;
  }
}

const firstPauseMs = 1;
const longestPauseMs = 20;
