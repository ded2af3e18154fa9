import { describe, expect, it } from 'vitest';
import { StallGrace } from '../../src/dataplane/stall-grace.ts';

describe('StallGrace', () => {
  it('judges at once what comes up in time', () => {
    const grace = new StallGrace();
    expect(grace.judges(1_000, 1_001)).toBe(true);
    expect(grace.judges(2_000, 2_100)).toBe(true);
    expect(grace.untilMs).toBe(Number.NEGATIVE_INFINITY);
  });

  it('gives back what a stall took, up to a second', () => {
    const grace = new StallGrace();
    expect(grace.judges(1_000, 1_300)).toBe(false);
    expect(grace.untilMs).toBe(1_600);
    expect(grace.judges(1_600, 1_601)).toBe(true);
    expect(grace.judges(10_000, 70_000)).toBe(false);
    expect(grace.untilMs).toBe(71_000);
  });

  it('puts off what comes up within the time that it gave', () => {
    const grace = new StallGrace();
    grace.judges(1_000, 3_000);
    expect(grace.judges(3_500, 3_501)).toBe(false);
    expect(grace.judges(4_000, 4_000)).toBe(true);
  });

  it('gives back what another stall takes of the time that it gave', () => {
    const grace = new StallGrace();
    grace.judges(1_000, 3_000);
    expect(grace.judges(4_000, 6_000)).toBe(false);
    expect(grace.untilMs).toBe(7_000);
  });

  it('judges still on a thread that is never in time', () => {
    const grace = new StallGrace();
    let nowMs = 1_000;
    const judged = Array.from({ length: 10 }, () => {
      const dueMs = Math.max(nowMs, grace.untilMs);
      nowMs = dueMs + 200;
      return grace.judges(dueMs, nowMs);
    });
    expect(judged.indexOf(true)).toBe(4);
  });
});
