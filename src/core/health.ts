/**
 * What checks have found of one backend. Both thresholds are consecutive, kept in one integer as HAProxy
 * does: a pass adds one, and from `rise` on the backend is up and the level goes to the top; a failure takes
 * one off, and below `rise` it is down and the level drops to 0.
 *
 *     0 ── down ── rise-1 │ rise ── up ── rise+fall-1
 *
 * Before the first result the health is unknown; the first result counts at once.
 */
import type { Health } from './ledger/ledger.ts';

export interface HealthThresholds {
  /** Consecutive passes to come up, at least 1. */
  readonly rise: number;
  /** Consecutive failures to go down, at least 1. */
  readonly fall: number;
}

export class HealthState {
  #rise: number;
  #top: number;
  #level: number | undefined;

  constructor({ rise, fall }: HealthThresholds) {
    this.#rise = rise;
    this.#top = rise + fall - 1;
  }

  /**
   * Takes on other thresholds. The health stays, and so does the number of results in a row that speak against it:
   * where they are enough now, the next one of them turns it.
   */
  follow({ rise, fall }: HealthThresholds): void {
    const top = rise + fall - 1;
    if (this.#level !== undefined) {
      const isUp = this.#level >= this.#rise;
      this.#level = isUp ? Math.max(rise, top - (this.#top - this.#level)) : Math.min(rise - 1, this.#level);
    }
    this.#rise = rise;
    this.#top = top;
  }

  get health(): Health {
    if (this.#level === undefined) return 'unknown';
    return this.#level >= this.#rise ? 'up' : 'down';
  }

  /** Takes a result in and gives the new health where it changed. */
  record(pass: boolean): 'up' | 'down' | undefined {
    const before = this.health;
    const level = this.#level ?? (pass ? this.#top : 0);
    this.#level = pass ? this.#raised(level) : this.#lowered(level);
    const after = this.#level >= this.#rise ? 'up' : 'down';
    return after === before ? undefined : after;
  }

  #raised(level: number): number {
    return level + 1 >= this.#rise ? this.#top : level + 1;
  }

  #lowered(level: number): number {
    return level - 1 < this.#rise ? 0 : level - 1;
  }
}
