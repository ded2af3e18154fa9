/**
 * How far the proxy has come. It only goes forward, and may leave steps out:
 *
 *     starting ─▶ serving ─▶ draining ─▶ closed: accepts no more ─▶ stopped
 *
 * What has closed or stopped is still called draining. Draining, it may accept for a while, and follows what names
 * stand for.
 */
import type { Phase } from '../telemetry/snapshot.ts';

/** What is asked can't be done as far as the proxy is: said in a sentence. */
export class NotServing extends Error {
  static get starting(): NotServing {
    return new NotServing('The proxy is starting, and has no listeners and pools yet');
  }

  static get stopping(): NotServing {
    return new NotServing('The proxy is stopping, and nothing of it can be changed any more');
  }
}

export class Lifecycle {
  #phase: Phase = 'starting';
  #phaseSinceMs = Date.now();
  readonly #closing = new AbortController();
  hasStopped = false;

  get phase(): Phase {
    return this.#phase;
  }

  /** In milliseconds since 1970. */
  get phaseSinceMs(): number {
    return this.#phaseSinceMs;
  }

  /** Aborted once it has closed: changes under way wait for nothing any more. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  serve(): void {
    if (this.#phase === 'starting') this.#enter('serving');
  }

  drain(): void {
    if (this.#phase !== 'draining') this.#enter('draining');
  }

  close(): void {
    this.drain();
    this.#closing.abort();
  }

  stop(): void {
    this.close();
    this.hasStopped = true;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseSinceMs = Date.now();
  }
}
