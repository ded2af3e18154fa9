/**
 * Smooth weighted round robin as nginx does it: at each turn everyone earns its weight, the richest goes and
 * pays what all of them earned. Weights of 5, 1 and 1 give a a b a c a a. Over a period (the sum of the
 * weights over their greatest common divisor) each goes exactly as often as its weight says. O(n) a turn.
 */
export class SmoothOrder {
  readonly #weight: (index: number) => number;
  readonly #earned: Float64Array;
  #lastTotal = 0;

  /** `weight` is asked of each at each turn and may change from turn to turn; 0 leaves the turn to others. */
  constructor(size: number, weight: (index: number) => number) {
    this.#weight = weight;
    this.#earned = new Float64Array(size);
  }

  /** The index whose turn it is, or -1 where all weights are 0. */
  next(): number {
    const earned = this.#earned;
    // With steady weights nobody gets further from 0 than this. When they change, the bound keeps what was
    // earned or owed among many from giving one a long run of turns among few.
    const bound = this.#lastTotal;
    let richest = -1;
    let most = 0;
    let total = 0;
    for (let index = 0; index < earned.length; index++) {
      const weight = this.#weight(index);
      if (weight === 0) continue;
      total += weight;
      const has = Math.max(-bound, Math.min(bound, earned[index] ?? 0)) + weight;
      earned[index] = has;
      if (richest < 0 || has > most) {
        richest = index;
        most = has;
      }
    }
    if (richest >= 0) earned[richest] = most - total;
    this.#lastTotal = total;
    return richest;
  }
}
