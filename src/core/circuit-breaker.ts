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
import { circuitWords, type Ledger } from './ledger/ledger.ts';
import type { CircuitBreakerPolicy } from './plan.ts';
import type { CircuitChange } from './reports.ts';

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
  readonly #changed: (change: CircuitChange) => void;

  /** `changed` is called where this one has changed the state, and not where another worker's has. */
  constructor(
    ledger: Ledger,
    slot: number,
    policy: CircuitBreakerPolicy,
    random: () => number,
    changed: (change: CircuitChange) => void = () => {},
  ) {
    this.#ledger = ledger;
    this.#slot = slot;
    this.#policy = policy;
    this.#random = random;
    this.#changed = changed;
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
      if (this.#leave(before, 'half-open', nowMs)) this.#changed({ to: 'half-open' });
    }
    if (!trials.tryTake(this.#slot, this.#policy.halfOpenTrials)) return undefined;
    const admission = { epoch: Atomics.load(epoch, this.#slot), trial: true };
    if (Atomics.load(state, this.#slot) === halfOpen) return admission;
    // Another thread's trial has ended the half-open state since it was looked at: look again.
    trials.release(this.#slot);
    return this.admit(nowMs);
  }

  /** `error` is what a failed dial has failed of. */
  settle(admission: BreakerPermit, outcome: DialOutcome, nowMs: number, error?: string): void {
    this.#learn(admission, outcome, nowMs, error);
    // Only now, or another thread could try once more before the state has changed.
    if (admission.trial) this.#ledger.circuit.trials.release(this.#slot);
  }

  #learn(admission: BreakerPermit, outcome: DialOutcome, nowMs: number, lastError: string | undefined): void {
    const { epoch, failuresInARow, openForMs } = this.#ledger.circuit;
    if (outcome === 'abandoned' || admission.epoch !== Atomics.load(epoch, this.#slot)) return;
    if (outcome === 'succeeded') {
      if (!admission.trial) {
        if (Atomics.load(failuresInARow, this.#slot) !== 0) Atomics.store(failuresInARow, this.#slot, 0);
      } else if (this.#leave(admission.epoch, 'closed', nowMs)) this.#changed({ to: 'closed' });
      return;
    }
    const failures = Atomics.add(failuresInARow, this.#slot, 1) + 1;
    if (!admission.trial && failures < this.#policy.consecutiveFailures) return;
    if (this.#leave(admission.epoch, 'open', nowMs))
      this.#changed({ to: 'open', failures, lastError, openForMs: openForMs[this.#slot] ?? 0 });
  }

  #openIsOver(nowMs: number): boolean {
    return nowMs >= (this.#ledger.circuit.untilMs[this.#slot] ?? 0);
  }

  /** Leaves the epoch for another state, and returns whether it has: another thread may have left it first. */
  #leave(fromEpoch: number, to: CircuitChange['to'], nowMs: number): boolean {
    const { state, epoch, failuresInARow, sinceMs, untilMs, openForMs } = this.#ledger.circuit;
    const slot = this.#slot;
    this.#ledger.lock.acquire();
    const isFirst = Atomics.load(epoch, slot) === fromEpoch;
    if (isFirst) {
      sinceMs[slot] = nowMs;
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
    return isFirst;
  }
}

const closed = circuitWords.indexOf('closed');
const open = circuitWords.indexOf('open');
const halfOpen = circuitWords.indexOf('half-open');
