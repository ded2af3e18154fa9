import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/durations.ts';

test.each([
  ['250ms', 250],
  ['1.5s', 1500],
  ['30s', 30_000],
  ['10m', 600_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  ['24d', 2_073_600_000],
])('parseDuration reads %s', (text, ms) => {
  expect(parseDuration(text)).toEqual({ ok: true, value: ms });
});

test.each([
  '',
  '30',
  '30 s',
  '-1s',
  '1e3s',
  '.5s',
  '1.s',
  's',
  '1w',
  '30S',
  'unlimited',
  'off',
  'positive',
  '1h30m',
])('parseDuration refuses %j', (text) => {
  expect(parseDuration(text)).toEqual({ ok: false, expected: 'a duration such as "30s"' });
});

test('parseDuration reads words only where they are allowed', () => {
  expect(parseDuration('unlimited', 'unlimited')).toEqual({ ok: true, value: Infinity });
  expect(parseDuration('off', 'off')).toEqual({ ok: true, value: 0 });
  expect(parseDuration('off', 'unlimited')).toEqual({
    ok: false,
    expected: 'a duration such as "30s" or "unlimited"',
  });
});

test('parseDuration never takes zero for infinite', () => {
  expect(parseDuration('0s')).toEqual({ ok: false, expected: 'a duration above 0' });
  expect(parseDuration('0s', 'unlimited')).toEqual({
    ok: false,
    expected: 'a duration above 0 or "unlimited"',
  });
  expect(parseDuration('0s', 'zero')).toEqual({ ok: true, value: 0 });
});

test('parseDuration refuses what no timer can wait', () => {
  const expected = 'at most 24d, near the longest that a timer can wait';
  expect(parseDuration('2147483647ms')).toEqual({ ok: true, value: 2_147_483_647 });
  expect(parseDuration('2147483648ms')).toEqual({ ok: false, expected });
  expect(parseDuration(`${'9'.repeat(400)}d`)).toEqual({ ok: false, expected });
});

test('formatDuration writes the shortest text that reads back', () => {
  expect([600_000, 1500, 0, Infinity].map((ms) => formatDuration(ms))).toEqual([
    '10m',
    '1500ms',
    '0s',
    'unlimited',
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
    }),
  );
});
