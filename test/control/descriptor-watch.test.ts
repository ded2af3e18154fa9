import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DescriptorWatch } from '../../src/control/descriptor-watch.ts';
import type { DescriptorUse } from '../../src/drivers/descriptors.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function stage(use: DescriptorUse | undefined) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  const now = { use };
  return { now, watch: new DescriptorWatch(logger, () => now.use), taken: () => lines.splice(0) };
}

const msg = 'out of file descriptors, new clients are turned away: raise ulimit -n';

test('Descriptors that are missing have one line for as long as they are, and one when that is over', () => {
  const { watch, taken } = stage({ open: 1_020, limit: 1_024 });
  for (let second = 0; second < 30; second++) {
    watch.missing();
    vi.advanceTimersByTime(1_000);
  }
  expect(taken()).toEqual([{ level: 'error', used: 1_020, limit: 1_024, msg }]);
  vi.advanceTimersByTime(10_000);
  expect(taken()).toMatchObject([{ level: 'info', msg: 'file descriptors suffice again' }]);
  watch.missing();
  expect(taken()).toMatchObject([{ level: 'error', msg }]);
});

test('The limit is known even where no descriptor is left to read it with', () => {
  const { watch, now, taken } = stage({ open: 5, limit: 1_024 });
  now.use = { open: Number.POSITIVE_INFINITY, limit: Number.NaN };
  watch.missing();
  expect(taken()).toMatchObject([{ used: 1_024, limit: 1_024 }]);
});

test('Where the system tells nothing, the line has no numbers', () => {
  const { watch, taken } = stage(undefined);
  watch.missing();
  expect(taken()).toEqual([{ level: 'error', msg }]);
});
