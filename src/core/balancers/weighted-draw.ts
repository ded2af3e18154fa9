/**
 * Draws admitted backends by chance, each in proportion to its weight. It draws from all of them and rejects
 * those that are not admitted; where too many draws are rejected it asks every backend once. Both ways give
 * the same odds, so how often it gives up changes nothing but the cost.
 */
import { AliasTable } from './alias-table.ts';
import type { Tier } from './balancer.ts';

/** With nine of ten backends down, one draw in 850 goes on to the scan. */
const maxTries = 64;

export class WeightedDraw {
  readonly #tier: Tier;
  readonly #random: () => number;
  readonly #table: AliasTable;
  readonly #tries: number;

  constructor(tier: Tier, random: () => number) {
    this.#tier = tier;
    this.#random = random;
    this.#table = new AliasTable(Array.from({ length: tier.size }, (_, index) => tier.weight(index)));
    this.#tries = Math.min(maxTries, tier.size);
  }

  /** An admitted backend other than `except`, or -1 where there is none. */
  next(except = -1): number {
    if (this.#table.total === 0) return -1;
    for (let tries = 0; tries < this.#tries; tries++) {
      const index = this.#table.draw(this.#random());
      if (index !== except && this.#tier.admits(index) && this.#rampLets(index)) return index;
    }
    return this.#scan(except);
  }

  /** Slow start thins the draws of a recovered backend. */
  #rampLets(index: number): boolean {
    const percent = this.#tier.rampPercent(index);
    return percent >= 100 || this.#random() * 100 < percent;
  }

  /** Reservoir sampling (Chao 1982): each takes the place of the one before with its share of the weight so far. */
  #scan(except: number): number {
    const tier = this.#tier;
    let drawn = -1;
    let total = 0;
    for (let index = 0; index < tier.size; index++) {
      const weight = tier.weight(index);
      if (weight === 0 || index === except || !tier.admits(index)) continue;
      const ramped = weight * tier.rampPercent(index);
      total += ramped;
      if (this.#random() * total < ramped) drawn = index;
    }
    return drawn;
  }
}
