/**
 * How late threads get to their work. Workers are asked for a sign of life whenever somebody wants to know, and what is
 * known is what the last one took: an idle process is not woken for it. A worker may sleep where its event loop does
 * not run, so that nothing but a message tells of it.
 */
import type { Ledger } from '../../core/ledger/ledger.ts';
import type { Notice } from '../../dataplane/messages.ts';

export class WorkerLag {
  readonly #ledger: Ledger;
  readonly #broadcast: (notice: Notice) => void;
  #askedMs = 0;
  /** By worker: since when it owes a sign, or when it was asked for the last one. */
  readonly #sinceMs: number[] = [];

  constructor(ledger: Ledger, broadcast: (notice: Notice) => void) {
    this.#ledger = ledger;
    this.#broadcast = broadcast;
  }

  ask(workers: readonly number[], nowMs: number): void {
    for (const worker of workers) if (!this.#owes(worker)) this.#sinceMs[worker] = nowMs;
    this.#askedMs = nowMs;
    this.#broadcast({ kind: 'sign-of-life', askedMs: nowMs });
  }

  /** In milliseconds: how long the last sign took, or for how long one is owed; 0 before the first was asked for. */
  of(worker: number, nowMs: number): number {
    if (this.#owes(worker)) return Math.max(0, nowMs - (this.#sinceMs[worker] ?? nowMs));
    return this.#ledger.lag.tookMs[worker] ?? 0;
  }

  #owes(worker: number): boolean {
    return this.#sinceMs[worker] !== undefined && this.#ledger.lag.askedMs[worker] !== this.#askedMs;
  }
}
