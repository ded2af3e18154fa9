/**
 * Smooth weighted round robin in O(1) expected: one period of the turns is remembered and walked again and
 * again. The turns of a backend that is not admitted are skipped, so that over a period its share falls to
 * the others in proportion to their weights.
 */
import type { Balancer, BalancerMaker, Tier } from './balancer.ts';
import { SmoothOrder } from './smooth-order.ts';

export const roundRobin: BalancerMaker = (tier) => new RoundRobin(tier);

/** So many turns in a row may be skipped before every backend is asked instead. */
const patience = 64;

class RoundRobin implements Balancer {
  readonly #tier: Tier;
  readonly #turns: Turns;
  /** Where the admitted have few of the turns: the same order among them alone. */
  readonly #admittedOrder: SmoothOrder;
  /** What each recovered backend has saved up of its turns, in percent of one. */
  readonly #saved: Float64Array;

  constructor(tier: Tier) {
    this.#tier = tier;
    const weights = Array.from({ length: tier.size }, (_, index) => tier.weight(index));
    this.#turns = new Turns(weights, () => tier.takeTurn());
    this.#admittedOrder = new SmoothOrder(tier.size, (index) =>
      tier.weight(index) > 0 && tier.admits(index) ? tier.weight(index) * tier.rampPercent(index) : 0,
    );
    this.#saved = new Float64Array(tier.size);
  }

  pick(): number {
    for (let skipped = 0; skipped < patience; skipped++) {
      const index = this.#turns.next();
      if (index < 0) return -1;
      if (this.#tier.admits(index) && this.#rampLets(index)) return index;
    }
    return this.#admittedOrder.next();
  }

  /** Slow start: at 10 % a backend takes every tenth of its turns. */
  #rampLets(index: number): boolean {
    const percent = this.#tier.rampPercent(index);
    if (percent >= 100) return true;
    const saved = (this.#saved[index] ?? 0) + percent;
    this.#saved[index] = saved % 100;
    return saved >= 100;
  }
}

/**
 * A period is remembered if it has at most this many turns (256 KiB), and if working it out takes at most this
 * many steps, some milliseconds at the worst. Beyond, a turn is worked out when it comes, O(n), and each worker
 * takes turns by itself.
 */
const maxRemembered = 65_536;
const maxSteps = 4_000_000;

/** The turns of all that have a weight, for ever; the workers take them from one row. */
class Turns {
  readonly #order: SmoothOrder;
  /** One period, or nothing where it is too long. */
  readonly #period: Int32Array;
  readonly #takeTurn: () => number;
  #known = 0;

  constructor(weights: readonly number[], takeTurn: () => number) {
    this.#takeTurn = takeTurn;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const length = sum / weights.reduce(greatestCommonDivisor, 0) || 0;
    this.#period = new Int32Array(
      length <= maxRemembered && length * weights.length <= maxSteps ? length : 0,
    );
    this.#order = new SmoothOrder(weights.length, (index) => weights[index] ?? 0);
  }

  /** Whose turn it is, or -1 where nobody has a weight. */
  next(): number {
    const period = this.#period;
    if (period.length === 0) return this.#order.next();
    const turn = this.#takeTurn() % period.length;
    // Worked out as far as it is walked, so that making a balancer costs nothing.
    while (this.#known <= turn) period[this.#known++] = this.#order.next();
    return period[turn] ?? -1;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
