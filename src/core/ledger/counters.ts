/**
 * Numbers that only grow and are only ever summed, `width` of them for each slot: one stripe per worker with
 * a single writer, so that counting costs an add and no atomic. Readers add the stripes up.
 */
export class Counters {
  readonly #stripes: readonly Float64Array[];
  readonly #own: Float64Array;
  readonly #width: number;

  constructor(stripes: readonly Float64Array[], own: Float64Array, width: number) {
    this.#stripes = stripes;
    this.#own = own;
    this.#width = width;
  }

  /** The part that one worker has counted, to read and to correct when that worker is no more. */
  partOf(worker: number): Counters {
    const stripe = this.#stripes[worker];
    return stripe === undefined
      ? new Counters([], this.#own, this.#width)
      : new Counters([stripe], stripe, this.#width);
  }

  add(slot: number, field: number, amount: number): void {
    const index = slot * this.#width + field;
    this.#own[index] = (this.#own[index] ?? 0) + amount;
  }

  sum(slot: number, field: number): number {
    const index = slot * this.#width + field;
    return this.#stripes.reduce((sum, stripe) => sum + (stripe[index] ?? 0), 0);
  }

  clear(slot: number): void {
    for (const stripe of this.#stripes) stripe.fill(0, slot * this.#width, (slot + 1) * this.#width);
  }
}
