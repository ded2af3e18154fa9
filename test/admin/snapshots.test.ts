import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Snapshots } from '../../src/admin/api/snapshots.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function counted() {
  let made = 0;
  const snapshots = new Snapshots(() => String(++made));
  const watch = (everySeconds: number) => {
    const taken: string[] = [];
    const stop = snapshots.watch(everySeconds, (text) => taken.push(text));
    return { taken, stop };
  };
  return { watch };
}

describe('Snapshots', () => {
  it('give one at once and then one every so many seconds', () => {
    const { watch } = counted();
    const { taken } = watch(2);
    expect(taken).toEqual(['1']);
    vi.advanceTimersByTime(5_000);
    expect(taken).toEqual(['1', '2', '3']);
  });

  it('are made once for all who watch', () => {
    const { watch } = counted();
    const [one, other] = [watch(1), watch(1)];
    vi.advanceTimersByTime(2_000);
    expect([one.taken, other.taken]).toEqual([
      ['1', '3', '4'],
      ['2', '3', '4'],
    ]);
  });

  it('are not made while nobody watches', () => {
    const { watch } = counted();
    watch(1).stop();
    vi.advanceTimersByTime(10_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(watch(1).taken).toEqual(['2']);
  });
});
