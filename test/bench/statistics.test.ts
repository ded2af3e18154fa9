import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excess, percentile, ratio, spread } from '../../bench/statistics.ts';

describe('spread', () => {
  it('takes the middle value of an odd count', () => {
    expect(spread([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9, count: 3 });
  });

  it('takes the mean of the two middle values of an even count', () => {
    expect(spread([4, 1, 3, 100])).toEqual({ median: 3.5, min: 1, max: 100, count: 4 });
  });

  it('orders by number, not by text', () => {
    expect(spread([10, 9, 2])?.median).toBe(9);
  });

  it('knows nothing of no values', () => {
    expect(spread([])).toBeUndefined();
  });

  it('has at most half of the values on either side of its median', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const { median = Number.NaN } = spread(values) ?? {};
        const half = values.length / 2;
        expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(half);
        expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(half);
      }),
    );
  });
});

const rounds = (...values: number[]): Map<number, number> => new Map(values.entries());

describe('ratio', () => {
  it('is taken within each round, so that a slow round does not count', () => {
    expect(ratio(rounds(10, 100, 12), rounds(20, 200, 24))).toEqual({
      median: 0.5,
      min: 0.5,
      max: 0.5,
      count: 3,
    });
  });

  it('has the range of its rounds', () => {
    expect(ratio(rounds(1, 2, 4), rounds(2, 2, 2))).toEqual({ median: 1, min: 0.5, max: 2, count: 3 });
  });

  it('leaves out a round that one of them lacks', () => {
    expect(ratio(new Map([[1, 6]]), rounds(2, 3))).toEqual({ median: 2, min: 2, max: 2, count: 1 });
  });

  it('is unknown where theirs is nothing', () => {
    expect(ratio(rounds(5), rounds(0))).toBeUndefined();
  });

  it('is unknown without a common round', () => {
    expect(ratio(new Map([[0, 1]]), new Map([[1, 1]]))).toBeUndefined();
  });
});

describe('excess', () => {
  it('is taken within each round, so that a slow round of both cancels out', () => {
    expect(excess(rounds(25, 105, 27), rounds(20, 100, 20))).toEqual({ median: 5, min: 5, max: 7, count: 3 });
  });

  it('may be less than nothing', () => {
    expect(excess(rounds(1), rounds(3))?.median).toBe(-2);
  });

  it('is unknown without a common round', () => {
    expect(excess(new Map([[0, 1]]), new Map([[1, 1]]))).toBeUndefined();
  });
});

describe('percentile', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);

  it('is a value that was measured', () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 0.999)).toBe(100);
  });

  it('is the only value of a single one', () => {
    expect(percentile(Float64Array.of(7), 0.5)).toBe(7);
  });

  it('is no number of no values', () => {
    expect(percentile(new Float64Array(0), 0.5)).toBeNaN();
  });

  it('is not exceeded by the share of values that it names', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (values, share) => {
          const sorted = Float64Array.from(values).sort();
          const found = percentile(sorted, share);
          const within = sorted.filter((value) => value <= found).length;
          expect(within / sorted.length).toBeGreaterThanOrEqual(share - 1e-9);
        },
      ),
    );
  });
});
