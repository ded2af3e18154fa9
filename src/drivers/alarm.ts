/** The one timer of a driver. */
import type { DriverHost } from './driver.ts';

export class Alarm {
  readonly #host: Pick<DriverHost, 'now' | 'deadline'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: Pick<DriverHost, 'now' | 'deadline'>) {
    this.#host = host;
  }

  /** Calls `deadline()` once, not before this time; replaces what was set before. Undefined: not at all. */
  set(deadlineMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (deadlineMs === undefined) return;
    const delayMs = Math.ceil(deadlineMs - this.#host.now());
    // What is due already is due at once; newer Nodes warn of a time before now.
    this.#timer = setTimeout(() => this.#ring(deadlineMs), Math.max(0, Math.min(delayMs, longestTimerMs)));
  }

  /** Timers count in whole milliseconds, so that one may come a little early; a long one comes in parts. */
  #ring(deadlineMs: number): void {
    if (this.#host.now() < deadlineMs) this.set(deadlineMs);
    else this.#host.deadline();
  }
}

const longestTimerMs = 2 ** 31 - 1;
