/** Single values of a valid input, in the units of the checked config; a missing one is its default. */
import type { ConfigDocument } from './document.ts';
import { type DurationRule, formatDuration, parseDuration } from './durations.ts';
import type { Path } from './issues.ts';
import type { Parsed } from './parsed.ts';

/** What the text stands for; where it stands for nothing, an issue and the fallback. */
export function parsedAt<T, F>(document: ConfigDocument, path: Path, result: Parsed<T>, fallback: F): T | F {
  if (result.ok) return result.value;
  document.expected(path, result.expected);
  return fallback;
}

/** Reads durations of one mapping: `read('openFor', 5000)`. */
export function durationReader<Keys extends string>(
  document: ConfigDocument,
  path: Path,
  input: { readonly [key in Keys]?: unknown } | undefined,
) {
  return (key: Keys, fallbackMs: number, rule: DurationRule = 'positive'): number => {
    const text = input?.[key];
    if (typeof text !== 'string') return fallbackMs;
    return parsedAt(document, [...path, key], parseDuration(text, rule), fallbackMs);
  };
}

/** One duration must not be above another; told at the one that the file sets. */
export function checkOrder(
  document: ConfigDocument,
  path: Path,
  [lowKey, lowMs]: readonly [string, number],
  [highKey, highMs]: readonly [string, number],
): void {
  if (lowMs <= highMs) return;
  if (document.placeOf([...path, highKey]) === undefined) {
    document.expected([...path, lowKey], `at most ${highKey}, which is ${formatDuration(highMs)}`);
  } else {
    document.expected([...path, highKey], `at least ${lowKey}, which is ${formatDuration(lowMs)}`);
  }
}

export function limit(value: number | 'unlimited' | undefined, fallback: number): number {
  return value === 'unlimited' ? Infinity : (value ?? fallback);
}

/** `10%` is 10. */
export function percentage(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : Number.parseFloat(text);
}
