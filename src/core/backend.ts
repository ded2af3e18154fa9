/**
 * A backend as the core sees it: what the operator wants (the plan), and what checks, breaker and sessions
 * have made of it (the ledger).
 */
import { CircuitBreaker } from './circuit-breaker.ts';
import type { BackendSlot } from './contract.ts';
import { healthWords, type Ledger } from './ledger/ledger.ts';
import type { BackendPlan, PoolPolicy } from './plan.ts';
import type { CircuitChange } from './reports.ts';

export class Backend {
  readonly slot: BackendSlot;
  readonly plan: BackendPlan;
  /** Undefined where the pool has turned it off. */
  readonly breaker: CircuitBreaker | undefined;
  readonly ledger: Ledger;
  readonly #slowStartMs: number;

  /** `circuitChanged` as the breaker has it. */
  constructor(
    plan: BackendPlan,
    policy: PoolPolicy,
    ledger: Ledger,
    random: () => number,
    circuitChanged?: (change: CircuitChange) => void,
  ) {
    this.slot = plan.slot;
    this.plan = plan;
    this.breaker =
      policy.circuitBreaker === 'off'
        ? undefined
        : new CircuitBreaker(ledger, plan.slot, policy.circuitBreaker, random, circuitChanged);
    this.ledger = ledger;
    this.#slowStartMs = policy.slowStartMs;
  }

  /** Whether it is to take sessions, if it can. */
  get isWanted(): boolean {
    return this.plan.state === 'ready' && this.plan.weight > 0;
  }

  // These may be a moment old: they are for choosing, and the lease decides.

  /** Leases that are held on it, by all workers. */
  get active(): number {
    return this.ledger.backendActive.relaxed(this.slot);
  }

  /** How many more leases it may have. */
  get room(): number {
    return this.plan.maxConnections - this.ledger.backendActive.total(this.slot);
  }

  get isDown(): boolean {
    return this.ledger.health[this.slot] === down;
  }

  rampPercent(nowMs: number): number {
    return this.#slowStartMs === 0
      ? 100
      : rampPercent(this.ledger.recoveredMs[this.slot] ?? 0, this.#slowStartMs, nowMs);
  }
}

const down = healthWords.indexOf('down');

/**
 * Slow start: the share of its weight, in whole percent, that a backend has after it recovered, from 10 at once to 100
 * when `slowStartMs` are over. `recoveredMs` 0 means that it never was down; another thread wrote it, so it
 * may be a moment ahead of `nowMs`.
 */
export function rampPercent(recoveredMs: number, slowStartMs: number, nowMs: number): number {
  if (recoveredMs === 0 || nowMs >= recoveredMs + slowStartMs) return 100;
  return 10 + Math.floor((90 * Math.max(0, nowMs - recoveredMs)) / slowStartMs);
}
