/**
 * Keeps sessions from a backend whose dials fail (Michael Nygard, "Release It!"). One breaker for all
 * workers: its words are in the ledger.
 *
 *     closed ── failures in a row ──▶ open ── its time is over ──▶ half-open
 *       ▲                              ▲                              │  │
 *       │                              └── a trial fails: twice as long  │
 *       └────────────────────────────────────── a trial succeeds ────────┘
 *
 * An outcome counts only in the epoch that admitted it: every transition starts a new one.
 */
import { type CircuitState, circuitWords, type Ledger } from './ledger/ledger.ts';
import type { CircuitBreakerPolicy } from './plan.ts';

/** What a session was admitted under; give it back with `settle`. */
export interface BreakerPermit {
  readonly epoch: number;
  readonly trial: boolean;
}

/** `abandoned`: nothing was learnt, the client left or we ran out of something ourselves. */
export type DialOutcome = 'succeeded' | 'failed' | 'abandoned';

/** Each opening lasts up to this share longer or shorter, so that workers and pools don't try in step. */
const jitter = 0.1;

export class CircuitBreaker {
  readonly #ledger: Ledger;
  readonly #slot: number;
  readonly #policy: CircuitBreakerPolicy;
  readonly #random: () => number;

  constructor(ledger: Ledger, slot: number, policy: CircuitBreakerPolicy, random: () => number) {
    this.#ledger = ledger;
    this.#slot = slot;
    this.#policy = policy;
    this.#random = random;
  }

  /** Whether `admit` would let a session through, as far as can be seen without waiting. Changes nothing. */
  admits(nowMs: number): boolean {
    const { state, trials } = this.#ledger.circuit;
    const word = state[this.#slot];
    if (word === closed) return true;
    if (word === open && !this.#openIsOver(nowMs)) return false;
    return trials.total(this.#slot) < this.#policy.halfOpenTrials;
  }

  /** Lets a session through, or gives undefined. When open is over this is what half-opens the breaker. */
  admit(nowMs: number): BreakerPermit | undefined {
    const { state, epoch, trials } = this.#ledger.circuit;
    const before = Atomics.load(epoch, this.#slot);
    const word = Atomics.load(state, this.#slot);
    if (word === closed) return { epoch: before, trial: false };
    if (word === open) {
      if (!this.#openIsOver(nowMs)) return undefined;
      this.#transition(before, 'half-open');
    }
    if (!trials.tryTake(this.#slot, this.#policy.halfOpenTrials)) return undefined;
    const admission = { epoch: Atomics.load(epoch, this.#slot), trial: true };
    if (Atomics.load(state, this.#slot) === halfOpen) return admission;
    // Another thread's trial has ended the half-open state since it was looked at: look again.
    trials.release(this.#slot);
    return this.admit(nowMs);
  }

  settle(admission: BreakerPermit, outcome: DialOutcome, nowMs: number): void {
    this.#learn(admission, outcome, nowMs);
    // Only now, or another thread could try once more before the state has changed.
    if (admission.trial) this.#ledger.circuit.trials.release(this.#slot);
  }

  #learn(admission: BreakerPermit, outcome: DialOutcome, nowMs: number): void {
    const { epoch, failuresInARow } = this.#ledger.circuit;
    if (outcome === 'abandoned' || admission.epoch !== Atomics.load(epoch, this.#slot)) return;
    if (outcome === 'succeeded') {
      if (admission.trial) this.#transition(admission.epoch, 'closed');
      else if (Atomics.load(failuresInARow, this.#slot) !== 0) Atomics.store(failuresInARow, this.#slot, 0);
      return;
    }
    const failures = Atomics.add(failuresInARow, this.#slot, 1) + 1;
    if (admission.trial || failures >= this.#policy.consecutiveFailures) {
      this.#transition(admission.epoch, 'open', nowMs);
    }
  }

  #openIsOver(nowMs: number): boolean {
    return nowMs >= (this.#ledger.circuit.untilMs[this.#slot] ?? 0);
  }

  /** Goes to another state, unless another thread has left the epoch first. */
  #transition(fromEpoch: number, to: 'closed' | 'half-open'): void;
  #transition(fromEpoch: number, to: 'open', nowMs: number): void;
  #transition(fromEpoch: number, to: CircuitState, nowMs = 0): void {
    const { state, epoch, failuresInARow, untilMs, openForMs } = this.#ledger.circuit;
    const slot = this.#slot;
    this.#ledger.lock.acquire();
    if (Atomics.load(epoch, slot) === fromEpoch) {
      if (to === 'open') {
        const { openForMs: initial, maxOpenForMs } = this.#policy;
        const lasting = Math.min(maxOpenForMs, openForMs[slot] ? openForMs[slot] * 2 : initial);
        openForMs[slot] = lasting;
        untilMs[slot] = nowMs + lasting * (1 - jitter + 2 * jitter * this.#random());
        this.#ledger.countCircuitOpened(slot);
      } else if (to === 'closed') openForMs[slot] = 0;
      Atomics.store(failuresInARow, slot, 0);
      Atomics.store(state, slot, circuitWords.indexOf(to));
      Atomics.add(epoch, slot, 1);
    }
    this.#ledger.lock.release();
  }
}

const closed = circuitWords.indexOf('closed');
const open = circuitWords.indexOf('open');
const halfOpen = circuitWords.indexOf('half-open');
