import type { Counters } from './counters.ts';

/** A histogram kept in consecutive fields of some counters: one per bucket, one for the rest, one for the sum. */
export class Histogram {
  /** Upper edges of the buckets, inclusive and ascending, in milliseconds. */
  readonly edgesMs: readonly number[];
  readonly #counters: Counters;
  readonly #firstField: number;

  constructor(counters: Counters, firstField: number, edgesMs: readonly number[]) {
    this.#counters = counters;
    this.#firstField = firstField;
    this.edgesMs = edgesMs;
  }

  /** How many fields a histogram with these edges takes. */
  static width(edgesMs: readonly number[]): number {
    return edgesMs.length + 2;
  }

  observe(slot: number, valueMs: number): void {
    let bucket = 0;
    while (bucket < this.edgesMs.length && valueMs > (this.edgesMs[bucket] ?? 0)) bucket++;
    this.#counters.add(slot, this.#firstField + bucket, 1);
    this.#counters.add(slot, this.#firstField + this.edgesMs.length + 1, valueMs);
  }

  /** Counts of each bucket by itself (the last is beyond all edges), and the sum of all values. */
  read(slot: number): { readonly counts: readonly number[]; readonly sumMs: number } {
    const counts = Array.from({ length: this.edgesMs.length + 1 }, (_, bucket) =>
      this.#counters.sum(slot, this.#firstField + bucket),
    );
    return { counts, sumMs: this.#counters.sum(slot, this.#firstField + this.edgesMs.length + 1) };
  }
}
