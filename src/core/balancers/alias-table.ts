/**
 * Draws an index in proportion to its integer weight in constant time: the alias method of Walker, built as
 * Vose does ("A Linear Algorithm for Generating Random Numbers with a Given Distribution", 1991). Picture
 * one column for each index, all of height `total`; the lower part of a column is its own, the rest belongs
 * to one other index. Heights are weights times the number of columns, so that all of it is exact in integers.
 */
export class AliasTable {
  /** The sum of the weights; where it is 0 there is nothing to draw. */
  readonly total: number;
  readonly #own: Float64Array;
  readonly #alias: Int32Array;

  constructor(weights: readonly number[]) {
    const size = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const own = Float64Array.from(weights, (weight) => weight * size);
    const alias = new Int32Array(size);
    const short = [...own.keys()].filter((index) => (own[index] ?? 0) < total);
    const tall = [...own.keys()].filter((index) => (own[index] ?? 0) >= total);

    // Every short column is filled up from a tall one, which may become short by that.
    for (let low = short.pop(); low !== undefined; low = short.pop()) {
      const high = tall.at(-1);
      if (high === undefined) break; // cannot be: the heights average to `total`
      alias[low] = high;
      const left = (own[high] ?? 0) - (total - (own[low] ?? 0));
      own[high] = left;
      if (left < total) {
        tall.pop();
        short.push(high);
      }
    }

    this.total = total;
    this.#own = own;
    this.#alias = alias;
  }

  /** The index that a number from 0 (inclusive) to 1 (exclusive) falls on. Nothing may be drawn of weight 0. */
  draw(chance: number): number {
    const point = chance * this.#own.length;
    const column = Math.floor(point);
    const height = (point - column) * this.total;
    return height < (this.#own[column] ?? 0) ? column : (this.#alias[column] ?? -1);
  }
}
