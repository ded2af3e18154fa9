/** What a circuit breaker must do, written from the semantics and by itself. */
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import type { CircuitBreakerPolicy } from '../../src/core/plan.ts';
import { must } from './violation.ts';

export interface ShadowAdmission {
  readonly epoch: number;
  readonly trial: boolean;
  readonly policy: CircuitBreakerPolicy;
}

export class ShadowBreaker {
  readonly #ledger: Ledger;
  readonly #slot: number;
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #epoch = 0;
  #failures = 0;
  #lastingMs = 0;
  #trials = 0;
  /** The states it has gone to of which nobody was told yet. */
  readonly #untold: string[] = [];

  constructor(ledger: Ledger, slot: number) {
    this.#ledger = ledger;
    this.#slot = slot;
  }

  admits(policy: CircuitBreakerPolicy | 'off', nowMs: number): boolean {
    if (policy === 'off' || this.#state === 'closed') return true;
    if (this.#state === 'open' && nowMs < this.#untilMs) return false;
    return this.#trials < policy.halfOpenTrials;
  }

  admit(policy: CircuitBreakerPolicy): ShadowAdmission {
    if (this.#state === 'open') this.#go('half-open');
    const trial = this.#state === 'half-open';
    if (trial) this.#trials++;
    must(!trial || this.#trials <= policy.halfOpenTrials, () => `${this.#trials} trials at once`);
    return { epoch: this.#epoch, trial, policy };
  }

  /** The session of this admission is over, its dial neither good nor bad. */
  abandon({ trial }: ShadowAdmission): void {
    if (trial) this.#trials--;
  }

  succeed({ trial, epoch }: ShadowAdmission): void {
    if (trial) this.#trials--;
    if (epoch !== this.#epoch) return;
    this.#failures = 0;
    if (!trial) return;
    this.#lastingMs = 0;
    this.#go('closed');
  }

  fail({ trial, epoch, policy }: ShadowAdmission, nowMs: number): void {
    if (trial) this.#trials--;
    if (epoch !== this.#epoch) return;
    this.#failures++;
    if (!trial && this.#failures < policy.consecutiveFailures) return;
    const doubled = this.#lastingMs === 0 ? policy.openForMs : this.#lastingMs * 2;
    this.#lastingMs = Math.min(policy.maxOpenForMs, doubled);
    this.#go('open');
    const openForMs = this.#untilMs - nowMs;
    must(
      openForMs >= this.#lastingMs * 0.899 && openForMs <= this.#lastingMs * 1.101,
      () => `backend ${this.#slot} is open for ${openForMs} ms, and not for ${this.#lastingMs} ms ± 10 %`,
    );
  }

  told(state: string): void {
    const due = this.#untold.shift();
    must(state === due, () => `breaker of backend ${this.#slot} is said to be ${state}, not ${due}`);
  }

  /** That the ledger says the same, and that each change was told. */
  check(): void {
    must(this.#untold.length === 0, () => `breaker of backend ${this.#slot} is ${this.#untold}, untold`);
    const { failuresInARow, trials } = this.#ledger.circuit;
    const found = [this.#ledger.circuitOf(this.#slot), trials.total(this.#slot), failuresInARow[this.#slot]];
    const expected = [this.#state, this.#trials, this.#failures];
    must(
      found.join() === expected.join(),
      () => `breaker of backend ${this.#slot}: state, trials, failures are ${found}, expected ${expected}`,
    );
  }

  /** Of jittered times only the ledger knows. */
  get #untilMs(): number {
    return this.#ledger.circuit.untilMs[this.#slot] ?? 0;
  }

  #go(state: 'closed' | 'open' | 'half-open'): void {
    this.#state = state;
    this.#untold.push(state);
    this.#epoch++;
    this.#failures = 0;
  }
}
