import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FullListeners } from '../../src/control/full-listeners.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('A full listener has one line for as long as it turns clients away, with who holds its places', () => {
  const lines: object[] = [];
  const logger = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  const busy = { clients: 7, busiest: [{ client: '192.0.2.7', connections: 900 }] };
  const full = new FullListeners(logger, (listener, most) => {
    expect(most).toBe(3);
    return listener === 'web' ? busy : undefined;
  });
  for (let second = 0; second < 30; second++) {
    full.refused('web');
    vi.advanceTimersByTime(1_000);
  }
  full.refused('gone');
  expect(lines.splice(0)).toEqual([
    { level: 'warn', listener: 'web', ...busy, msg: 'listener is full' },
    { level: 'warn', listener: 'gone', msg: 'listener is full' },
  ]);
  vi.advanceTimersByTime(9_000);
  expect(lines.splice(0)).toEqual([{ level: 'info', listener: 'web', msg: 'listener has room again' }]);
  full.close();
  vi.advanceTimersByTime(10_000);
  expect(lines).toEqual([]);
});
