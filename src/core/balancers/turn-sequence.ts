/**
 * Turns by weight in O(1): one period of the smooth order is remembered and walked again and again.
 */
import { SmoothOrder } from './smooth-order.ts';

/** The turns of all that have a weight, for ever; the workers take them from one row. */
export class TurnSequence {
  readonly #order: SmoothOrder;
  /** One period, or nothing where it is too long. */
  readonly #period: Int32Array;
  readonly #nextTurn: () => number;
  #known = 0;

  constructor(weights: readonly number[], nextTurn: () => number) {
    this.#nextTurn = nextTurn;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const length = sum / weights.reduce(greatestCommonDivisor, 0) || 0;
    this.#period = new Int32Array(
      length <= maxRemembered && length * weights.length <= maxSteps ? length : 0,
    );
    this.#order = new SmoothOrder(weights.length, (index) => weights[index] ?? 0);
  }

  /** The index whose turn it is, or -1 where nobody has a weight. */
  next(): number {
    const period = this.#period;
    if (period.length === 0) return this.#order.next();
    const turn = this.#nextTurn() % period.length;
    // Worked out as far as it is walked, so that making a balancer costs nothing.
    while (this.#known <= turn) period[this.#known++] = this.#order.next();
    return period[turn] ?? -1;
  }
}

/**
 * A period is remembered if it has at most this many turns (256 KiB), and if working it out takes at most this
 * many steps, some milliseconds at the worst. Beyond, a turn is worked out when it comes, O(n), and each worker
 * takes turns by itself.
 */
const maxRemembered = 65_536;
const maxSteps = 4_000_000;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
