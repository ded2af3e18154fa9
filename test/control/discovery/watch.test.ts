import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Answer, Watch } from '../../../src/control/discovery/watch.ts';

const timing = { minTtlMs: 5_000, maxTtlMs: 3_600_000, minRetryMs: 1_000, maxRetryMs: 30_000 };

describe('Watch', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function start(...answers: (Answer<string> | Error)[]) {
    const log: string[] = [];
    const lookup = vi.fn(async (): Promise<Answer<string>> => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined || answer instanceof Error) throw answer;
      return answer;
    });
    const onChange = (previous: string | undefined) => log.push(`changed from ${previous} to ${watch.value}`);
    const onProblem = (problem: string | undefined, isPartial: boolean) =>
      log.push(problem === undefined ? 'well again' : `${problem}${isPartial ? ', in part' : ''}`);
    const watch: Watch<string> = new Watch({ lookup, onChange, onProblem }, timing);
    await watch.first;
    return { watch, lookup, log };
  }

  it.each([
    { ttlMs: 60_000, waitMs: 60_000 },
    { ttlMs: 0, waitMs: 5_000 },
    { ttlMs: 86_400_000, waitMs: 3_600_000 },
  ])('looks up again $waitMs ms after an answer that holds $ttlMs ms', async ({ ttlMs, waitMs }) => {
    const { lookup } = await start({ value: 'a', ttlMs });
    await vi.advanceTimersByTimeAsync(waitMs - 1);
    expect(lookup).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(lookup).toHaveBeenCalledTimes(2);
  });

  it('gives the previous value to the next lookup', async () => {
    const { lookup } = await start({ value: 'a', ttlMs: 0 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(lookup.mock.calls).toEqual([[undefined], ['a']]);
  });

  it('doubles its wait with each failure up to a bound, and begins anew after a success', async () => {
    const down = new Error('Down');
    const waits = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    const { lookup } = await start(...waits.map(() => down), { value: 'a', ttlMs: 5_000 }, down);
    const later = [5_000, 1_000, 2_000];
    for (const [index, waitMs] of [...waits, ...later].entries()) {
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(lookup).toHaveBeenCalledTimes(index + 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(lookup).toHaveBeenCalledTimes(index + 2);
    }
  });

  it('tells of a change and of trouble once each, and keeps the value through the trouble', async () => {
    const down = new Error('Down');
    const b = { value: 'b', ttlMs: 0 };
    const { log, watch } = await start({ value: 'a', ttlMs: 0 }, b, down, down, b);
    await vi.advanceTimersByTimeAsync(5_000 + 5_000);
    expect(watch.value).toBe('b');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log).toEqual(['changed from a to b', 'Down', 'well again']);
  });

  it('uses a value that comes with a problem', async () => {
    const { log, watch } = await start({ value: 'a', ttlMs: 0, problem: 'One host is missing' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(watch.value).toBe('a');
    expect(log).toEqual(['One host is missing, in part']);
  });

  it('is silent once it is closed', async () => {
    const { lookup, watch } = await start({ value: 'a', ttlMs: 0 });
    watch.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('throws away what a lookup finds after it was closed', async () => {
    const { watch, log } = await start({ value: 'a', ttlMs: 0 }, new Error('Down'));
    vi.advanceTimersToNextTimer();
    watch.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
