import { describe, expect, test } from 'vitest';
import { Patience } from '../../../src/drivers/uring/patience.ts';

/** Turns of which each brings what is wanted, up to `atMost`. */
function turns(patience: Patience, count: number, atMost: number): number[] {
  return Array.from({ length: count }, () => {
    const { wanted } = patience;
    patience.learn(Math.min(wanted, atMost));
    return wanted;
  });
}

describe('Patience', () => {
  test('wants as many as come together', () => {
    const patience = new Patience();
    const wanted = turns(patience, 1_000, 6);
    expect(Math.max(...wanted)).toBe(7);
    expect(wanted.filter((many) => many < 6).length).toBeLessThan(10);
  });

  test('seldom makes a lone completion wait for another', () => {
    const patience = new Patience();
    expect(turns(patience, 10_000, 1).filter((many) => many > 1).length).toBeLessThan(50);
  });

  test('has a bound, however many come', () => {
    const patience = new Patience();
    expect(Math.max(...turns(patience, 1_000, Number.POSITIVE_INFINITY))).toBe(16);
  });

  test('wants one again after a turn that brought none', () => {
    const patience = new Patience();
    turns(patience, 100, 8);
    patience.learn(0);
    expect(patience.wanted).toBe(1);
  });
});
