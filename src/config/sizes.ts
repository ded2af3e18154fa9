/** Sizes as people write them: `16KiB`, `1MiB`, or a number of bytes. */
import { expected, type Parsed, parsed } from './parsed.ts';

export const sizePattern = '([0-9]+)(B|KiB|MiB|GiB)';

export const expectedSize = 'a size such as 16384 or "16KiB"';

/** Bytes. */
export function parseSize(size: number | string): Parsed<number> {
  if (typeof size === 'number') return parsed(size);
  const [, amount, unit] = syntax.exec(size) ?? [];
  if (amount === undefined || unit === undefined) return expected(expectedSize);
  return parsed(Number(amount) * (bytesPer[unit] ?? Number.NaN));
}

export function formatSize(bytes: number): string {
  const units = Object.entries(bytesPer).toReversed();
  const [unit, per] = units.find(([, per]) => bytes >= per && bytes % per === 0) ?? ['B', 1];
  return `${bytes / per}${unit}`;
}

const syntax = new RegExp(`^${sizePattern}$`);

const bytesPer: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
