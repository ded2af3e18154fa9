import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DescriptorQueue } from '../../../src/drivers/portable/descriptor-queue.ts';
import { descriptorWaitMs } from '../../../src/drivers/shared.ts';

describe('DescriptorQueue', () => {
  let free = 0;
  const told: string[] = [];
  const queue = new DescriptorQueue<string>({
    admit: (client) => {
      if (free === 0) return false;
      free--;
      told.push(`admitted ${client}`);
      return true;
    },
    turnAway: (client) => told.push(`turned away ${client}`),
  });

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    free = 0;
    told.length = 0;
  });

  it('admits clients in their order as descriptors are freed', () => {
    for (const client of ['a', 'b', 'c']) queue.add(client);
    queue.descriptorFreed();
    expect(told).toEqual([]);
    free = 2;
    queue.descriptorFreed();
    expect(told).toEqual(['admitted a', 'admitted b']);
    vi.runAllTimers();
    expect(told).toEqual(['admitted a', 'admitted b', 'turned away c']);
  });

  it('turns a client away that has waited for long enough, and not before', () => {
    queue.add('a');
    vi.advanceTimersByTime(descriptorWaitMs - 1);
    queue.add('b');
    expect(told).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(told).toEqual(['turned away a']);
    // Another thread may have freed it.
    free = 1;
    vi.runAllTimers();
    expect(told).toEqual(['turned away a', 'admitted b']);
  });

  it('ends the wait of those that can wait no longer', () => {
    for (const client of ['a', 'b', 'c']) queue.add(client);
    free = 1;
    queue.settle((client) => client !== 'b');
    expect(told).toEqual(['admitted a', 'turned away c']);
    vi.runAllTimers();
    expect(told).toEqual(['admitted a', 'turned away c', 'turned away b']);
  });
});
