import type { Spread } from '../statistics.ts';

/** Three digits that mean something: 0.123, 12.3, 1.23k, 45.6M. The JSON report has all of them. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 999_500) return `${digits(value / 1e6)}M`;
  if (size >= 999.5) return `${digits(value / 1000)}k`;
  return digits(value);
}

/** The range of a spread, with one end where both read the same. */
export function range({ min, max }: Spread): string {
  const [low, high] = [short(min), short(max)];
  return low === high ? low : `${low}–${high}`;
}

/** A ratio with its range, such as `0.92 0.90–0.95`; of a single round it has none. */
export function ratioText(ratio: Spread): string {
  if (ratio.count < 2) return times(ratio.median);
  return `${times(ratio.median)} ${times(ratio.min)}–${times(ratio.max)}`;
}

export function times(value: number): string {
  return value < 100 ? value.toFixed(2) : short(value);
}

function digits(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 0.0005) return value.toExponential(1);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
}
