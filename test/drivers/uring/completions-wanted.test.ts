import { describe, expect, test } from 'vitest';
import { CompletionsWanted } from '../../../src/drivers/uring/completions-wanted.ts';

/** Turns of which each brings what is wanted, up to `atMost`. */
function turns(wantedOfThem: CompletionsWanted, count: number, atMost: number): number[] {
  return Array.from({ length: count }, () => {
    const { count: wanted } = wantedOfThem;
    wantedOfThem.learn(Math.min(wanted, atMost));
    return wanted;
  });
}

describe('CompletionsWanted', () => {
  test('wants as many as come together', () => {
    const wantedOfThem = new CompletionsWanted();
    const wanted = turns(wantedOfThem, 1_000, 6);
    expect(Math.max(...wanted)).toBe(7);
    expect(wanted.filter((many) => many < 6).length).toBeLessThan(10);
  });

  test('seldom makes a lone completion wait for another', () => {
    const wantedOfThem = new CompletionsWanted();
    expect(turns(wantedOfThem, 10_000, 1).filter((many) => many > 1).length).toBeLessThan(50);
  });

  test('has a bound, however many come', () => {
    const wantedOfThem = new CompletionsWanted();
    expect(Math.max(...turns(wantedOfThem, 1_000, Number.POSITIVE_INFINITY))).toBe(16);
  });

  test('wants one again after a turn that brought none', () => {
    const wantedOfThem = new CompletionsWanted();
    turns(wantedOfThem, 100, 8);
    wantedOfThem.learn(0);
    expect(wantedOfThem.count).toBe(1);
  });
});
