/**
 * Which failed dials the main thread is told of, for people who ask what was wrong last: one a second of each backend,
 * and so many of all, however many fail.
 */
import type { DialIncident } from '../core/reports.ts';

const mostASecond = 64;

export class ToldDials {
  #second = 0;
  readonly #told = new Set<string>();

  /** Notes that it is told, where it is to be. What was our own fault says nothing of the backend. */
  isDue({ pool, backend, reason }: DialIncident, nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) this.#told.clear();
    this.#second = second;
    const key = `${pool} ${backend}`;
    if (reason === 'overloaded' || this.#told.has(key) || this.#told.size >= mostASecond) return false;
    this.#told.add(key);
    return true;
  }
}
