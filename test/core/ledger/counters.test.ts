import { describe, expect, it } from 'vitest';
import { Counters } from '../../../src/core/ledger/counters.ts';
import { Histogram } from '../../../src/core/ledger/histogram.ts';

describe('Counters', () => {
  it('sums what each worker counted in a stripe of its own', () => {
    const [one, other, stripes] = pair(4, 2);
    one.add(1, 0, 5);
    other.add(1, 0, 7);
    other.add(1, 1, 1);
    expect([one.sum(1, 0), other.sum(1, 0), one.sum(1, 1)]).toEqual([12, 12, 1]);
    expect(stripes.map((stripe) => [...stripe])).toEqual([
      [0, 0, 5, 0, 0, 0, 0, 0],
      [0, 0, 7, 1, 0, 0, 0, 0],
    ]);
  });

  it('clears all stripes of one slot and leaves its neighbours', () => {
    const [one, other] = pair(3, 2);
    for (const slot of [0, 1, 2]) for (const field of [0, 1]) one.add(slot, field, 1);
    other.add(1, 1, 1);
    one.clear(1);
    expect([0, 1, 2].map((slot) => [one.sum(slot, 0), one.sum(slot, 1)])).toEqual([
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
  });

  it('counts bytes exactly beyond 32 bits', () => {
    const [one] = pair(1, 1);
    one.add(0, 0, 2 ** 40);
    one.add(0, 0, 1);
    expect(one.sum(0, 0)).toBe(2 ** 40 + 1);
  });
});

describe('Histogram', () => {
  const edgesMs = [1, 10, 100];

  it('puts a value on an edge into the bucket below it, and what is beyond all edges into the last', () => {
    const histogram = new Histogram(pair(2, 6)[0], 1, edgesMs);
    for (const valueMs of [0, 1, 1.5, 10, 100, 100.5, 5_000]) histogram.observe(1, valueMs);
    expect(histogram.read(1)).toEqual({ counts: [2, 2, 1, 2], sumMs: 5_213 });
    expect(histogram.read(0)).toEqual({ counts: [0, 0, 0, 0], sumMs: 0 });
  });

  it('keeps to its own fields', () => {
    const width = Histogram.width(edgesMs) + 2;
    const [counters] = pair(1, width);
    const histogram = new Histogram(counters, 1, edgesMs);
    for (const valueMs of [0, 5, 50, 500]) histogram.observe(0, valueMs);
    expect([counters.sum(0, 0), counters.sum(0, width - 1)]).toEqual([0, 0]);
  });

  it('adds up what all workers observed', () => {
    const [one, other] = pair(1, Histogram.width(edgesMs));
    new Histogram(one, 0, edgesMs).observe(0, 5);
    new Histogram(other, 0, edgesMs).observe(0, 7);
    expect(new Histogram(one, 0, edgesMs).read(0)).toEqual({ counts: [0, 2, 0, 0], sumMs: 12 });
  });
});

/** Two workers' views of the same stripes. */
function pair(slots: number, width: number): readonly [Counters, Counters, readonly Float64Array[]] {
  const one = new Float64Array(slots * width);
  const other = new Float64Array(slots * width);
  const stripes = [one, other];
  return [new Counters(stripes, one, width), new Counters(stripes, other, width), stripes];
}
