import { describe, expect, it } from 'vitest';
import type { SessionView } from '../../src/core/session-list.ts';
import { SessionRounds } from '../../src/dataplane/session-rounds.ts';

const hour = 3_600_000;

/** So many slices, in each of which is one session, whose serial is the number of the slice. */
function rounds(slices: number) {
  const state = { slices, everyMs: hour };
  const told: { readonly serial: number; readonly atMs: number }[] = [];
  let nowMs = 0;
  const made = new SessionRounds({
    everyMs: () => state.everyMs,
    list: (from) => ({
      sessions: [{ serial: from } as SessionView],
      next: from + 1 < state.slices ? from + 1 : undefined,
    }),
    report: ({ serial }) => told.push({ serial, atMs: nowMs }),
  });
  const elapse = (ms: number): typeof told => {
    const untilMs = nowMs + ms;
    for (let dueMs = made.nextMs(nowMs); dueMs <= untilMs; dueMs = made.nextMs(nowMs)) {
      nowMs = dueMs;
      made.due(nowMs);
    }
    nowMs = untilMs;
    return told.splice(0);
  };
  return { state, elapse };
}

describe('SessionRounds', () => {
  it('tell of each session once in a while, a slice at a time', () => {
    const { elapse } = rounds(10);
    elapse(20 * hour);
    for (let round = 0; round < 5; round++) {
      const told = elapse(hour);
      expect(told.map(({ serial }) => serial).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const times = told.map(({ atMs }) => atMs);
      expect(new Set(times).size).toBe(10);
    }
  });

  it('follow a number of sessions that grows and falls', () => {
    const { state, elapse } = rounds(1);
    expect(elapse(hour)).toEqual([{ serial: 0, atMs: hour }]);
    state.slices = 4;
    elapse(10 * hour);
    expect(elapse(hour)).toHaveLength(4);
    state.slices = 1;
    elapse(10 * hour);
    expect(elapse(hour)).toHaveLength(1);
  });

  it('are not made where nobody wants them, and begin where somebody does', () => {
    const { state, elapse } = rounds(1);
    state.everyMs = Number.POSITIVE_INFINITY;
    expect(elapse(100 * hour)).toEqual([]);
    state.everyMs = 2 * hour;
    expect(elapse(2 * hour)).toHaveLength(1);
  });
});
