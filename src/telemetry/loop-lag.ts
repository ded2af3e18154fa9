/** How late the timers of this thread come. It looks once a second: an idle process would notice a shorter period. */
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

  /** Returns the greatest lag since the last call, in milliseconds; a timer that is late now counts. */
  readMax(): number {
    const mostMs = Math.max(this.#mostMs, performance.now() - this.#dueMs, 0);
    this.#mostMs = 0;
    return mostMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

const everyMs = 1_000;
