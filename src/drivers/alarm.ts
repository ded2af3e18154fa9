/** The one timer of a driver. */
import type { DriverHost } from './driver.ts';

export class Alarm {
  readonly #host: Pick<DriverHost, 'now' | 'deadline'>;
  #timer: NodeJS.Timeout | undefined;
  #afterPoll: NodeJS.Immediate | undefined;

  constructor(host: Pick<DriverHost, 'now' | 'deadline'>) {
    this.#host = host;
  }

  /**
   * Calls `deadline()` once, not before this time, and after all that had come by then was read; replaces what was set
   * before. Undefined: not at all.
   */
  set(deadlineMs: number | undefined): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#afterPoll);
    if (deadlineMs === undefined) return;
    const delayMs = Math.ceil(deadlineMs - this.#host.now());
    // What is due already is due at once; newer Nodes warn of a time before now.
    this.#timer = setTimeout(() => this.#ring(deadlineMs), Math.max(0, Math.min(delayMs, longestTimerMs)));
  }

  /**
   * Timers count in whole milliseconds, so that one may come a little early; a long one comes in parts. After a pause
   * of the process, they come ahead of all that peers have sent meanwhile: that is polled for first.
   */
  #ring(deadlineMs: number): void {
    if (this.#host.now() < deadlineMs) this.set(deadlineMs);
    else this.#afterPoll = setImmediate(() => this.#host.deadline());
  }
}

const longestTimerMs = 2 ** 31 - 1;
