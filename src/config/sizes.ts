/** Sizes as people write them: `16KiB`, `1MiB`, or a number of bytes. */
import { type Guess, textOf } from './guesses.ts';
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

/**
 * The size that a text with another unit was probably meant to be: `16k`, `10MB` and `"16384"` are in use elsewhere. It
 * has at most `maximum` bytes.
 */
export function meantSize(maximum: number): Guess {
  return (found) => {
    const [, amount, letter = ''] = /^([0-9]+) *([kmg]?)(?:i?b|bytes)?$/i.exec(textOf(found)) ?? [];
    const size = letter === '' ? Number(amount) : `${amount}${letter.toUpperCase()}iB`;
    const bytes = parseSize(size);
    const fits = typeof found === 'string' && bytes.ok && bytes.value > 0 && bytes.value <= maximum;
    return fits ? JSON.stringify(size) : undefined;
  };
}

const syntax = new RegExp(`^${sizePattern}$`);

const bytesPer: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
