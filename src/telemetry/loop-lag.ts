/**
 * How late the timers of this thread come, for whoever looks now and then. It looks itself once a second: more often, an
 * idle process would feel.
 */
export class LoopLag {
  readonly #timer: NodeJS.Timeout;
  #dueMs = performance.now() + everyMs;
  #mostMs = 0;

  constructor() {
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.#mostMs = Math.max(this.#mostMs, nowMs - this.#dueMs);
      this.#dueMs = nowMs + everyMs;
    }, everyMs).unref();
  }

  /** The latest since it was last asked, in milliseconds; what is late now counts. */
  take(): number {
    const mostMs = Math.max(this.#mostMs, performance.now() - this.#dueMs, 0);
    this.#mostMs = 0;
    return mostMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

const everyMs = 1_000;
