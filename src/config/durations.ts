/** Durations as people write them: `250ms`, `1.5s`, `30s`, `10m`, `1h`, `1d`. */
import { meansOff, meansUnlimited, quoted, textOf } from './guesses.ts';
import { expected, type Parsed, parsed } from './parsed.ts';

/**
 * What is allowed besides a positive duration: nothing, `0s` (no time at all), or a word. `unlimited` is `Infinity`,
 * which zero never means. `off` is 0.
 */
export type DurationRule = 'positive' | 'zero' | 'unlimited' | 'off';

export const durationPattern = '([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h|d)';

/** Milliseconds, whole, at most what a timer can wait. */
export function parseDuration(text: string, rule: DurationRule = 'positive'): Parsed<number> {
  if (text === 'unlimited' && rule === 'unlimited') return parsed(Infinity);
  if (text === 'off' && rule === 'off') return parsed(0);
  const [, amount, unit] = syntax.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return expected(expectedDuration(rule));

  const ms = Math.round(Number(amount) * (millisecondsPer[unit] ?? Number.NaN));
  if (ms > longestTimerMs) return expected('at most 24d, near the longest that a timer can wait');
  if (ms === 0 && rule !== 'zero') return expected(`a duration above 0${orWord(rule)}`);
  return parsed(ms);
}

export function expectedDuration(rule: DurationRule): string {
  return `a duration such as "30s"${orWord(rule)}`;
}

/**
 * What a value that is no duration was probably meant to be: units have longer names elsewhere, may stand in a row, or
 * be left out. Without one, nginx and Traefik mean seconds, and HAProxy milliseconds: so full thousands are taken for.
 */
export function meantDuration(found: unknown, rule: DurationRule): string | undefined {
  if (rule === 'unlimited' && meansUnlimited(found)) return quoted('unlimited');
  if (rule === 'off' && meansOff(found)) return quoted('off');
  const number = Number(textOf(found));
  const isMilliseconds = number > 0 && number % 1000 === 0;
  const text = formatDuration(Math.round(isMilliseconds ? number : durationIn(textOf(found))));
  return parseDuration(text, rule).ok ? quoted(text) : undefined;
}

/** Milliseconds of `1h30m`, `5 minutes`, `30`; NaN of other texts. */
function durationIn(text: string): number {
  const parts = [...text.toLowerCase().matchAll(/\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*/gy)];
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  if (length === 0 || length < text.length) return Number.NaN;
  return parts.reduce((ms, [, amount, name = '']) => ms + Number(amount) * (msOfUnit(name) ?? Number.NaN), 0);
}

function msOfUnit(name: string): number | undefined {
  return unitNames.find(([names]) => names.test(name))?.[1];
}

const unitNames: readonly (readonly [RegExp, number])[] = [
  [/^(?:us|\u00b5s)$/, 0.001],
  [/^(?:ms|msecs?|millis|milliseconds?)$/, 1],
  [/^(?:|s|secs?|seconds?)$/, 1000],
  [/^(?:m|mins?|minutes?)$/, 60_000],
  [/^(?:h|hrs?|hours?)$/, 3_600_000],
  [/^(?:d|days?)$/, 86_400_000],
  [/^(?:w|weeks?)$/, 604_800_000],
];

/** The shortest way to write it: `10m`, not `600s`. */
export function formatDuration(ms: number, zero = '0s'): string {
  if (ms === Infinity) return 'unlimited';
  if (ms === 0) return zero;
  const unit = units.findLast(([, unitMs]) => ms % unitMs === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

const units: readonly (readonly [string, number])[] = [
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
];
const millisecondsPer: Readonly<Record<string, number>> = Object.fromEntries(units);
const syntax = new RegExp(`^${durationPattern}$`);

/** Node keeps a timer's delay in a signed 32-bit integer, and turns a longer one into 1 ms. */
const longestTimerMs = 2 ** 31 - 1;

function orWord(rule: DurationRule): string {
  return rule === 'unlimited' || rule === 'off' ? ` or "${rule}"` : '';
}
