/**
 * What a value that does not fit was probably meant to be, written as YAML: people bring words and units from other
 * proxies. A guess is shown beside the mistake and never taken.
 */
import { nearest } from './nearest.ts';

/** Returns the text that would do; undefined where there is no guess. */
export type Guess = (found: unknown) => string | undefined;

/** A text as YAML, in the quotes that are right in every place. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Whether a value says "no limit" as other programs do: `0`, `-1`, `inf`, `none`. */
export function meansUnlimited(found: unknown): boolean {
  return noLimits.has(wordOf(found)) || meansOff(found);
}

/** Whether a value says "not at all" in another way than `off`. */
export function meansOff(found: unknown): boolean {
  return negatives.has(wordOf(found)) || /^0+(?:ms|[smhd])?$/.test(wordOf(found));
}

export function meansOn(found: unknown): boolean {
  return affirmatives.has(wordOf(found));
}

export const meantFlag: Guess = (found) => {
  if (meansOn(found)) return 'true';
  return meansOff(found) ? 'false' : undefined;
};

/** A number that is written as a text, with separators or a unit: `"5"`, `10_000`, `1k`, `100/s`. */
export function meantNumber(minimum: number, maximum: number, isWhole = true): Guess {
  return (found) => {
    if (typeof found !== 'string') return undefined;
    const [, digits, thousands] =
      /^([0-9]+(?:\.[0-9]+)?)(k)?(?:r?\/1?s)?$/i.exec(found.replaceAll(/[_,' ]/g, '')) ?? [];
    if (digits === undefined) return undefined;
    const number = Number(digits) * (thousands === undefined ? 1 : 1000);
    const fits = number >= minimum && number <= maximum && (!isWhole || Number.isInteger(number));
    return fits ? String(number) : undefined;
  };
}

/** `50` and `"50 %"` are percent; `0.5` is a share of one. */
export const meantPercent: Guess = (found) => {
  const [, digits = ''] = /^([0-9]+(?:\.[0-9]+)?) *%?$/.exec(wordOf(found)) ?? [];
  const isShare = typeof found === 'number' && found < 1;
  const percent = isShare ? Math.round(found * 10_000) / 100 : Number(digits);
  return digits === '' || percent > 100 ? undefined : quoted(`${percent}%`);
};

/**
 * One of some words: the one with the same letters and digits, the one that others call so, or the one that is the
 * fewest typing mistakes away.
 */
export function meantWord<Word extends string>(
  words: readonly Word[],
  otherNames: Readonly<Record<string, NoInfer<Word>>> = {},
): Guess {
  const known = new Map<string, Word>();
  for (const [name, word] of Object.entries(otherNames)) known.set(lettersOf(name), word);
  for (const word of words) known.set(lettersOf(word), word);
  return (found) => {
    const letters = lettersOf(wordOf(found));
    const name = known.has(letters) ? letters : nearest(letters, [...known.keys()]);
    const word = name === undefined ? undefined : known.get(name);
    return word === undefined ? undefined : quoted(word);
  };
}

/** Letters and digits in lower case, so that `Round_Robin` is `roundrobin`. */
export function lettersOf(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** The text of a scalar; empty for what is none. */
export function textOf(found: unknown): string {
  return typeof found === 'object' || found === undefined ? '' : String(found);
}

function wordOf(found: unknown): string {
  return textOf(found).trim().toLowerCase();
}

const affirmatives: ReadonlySet<string> = new Set(['true', 'yes', 'y', 'on', '1', 'enable', 'enabled']);
const negatives: ReadonlySet<string> = new Set([
  ...['false', 'no', 'n', 'off', 'none', 'never', 'disable', 'disabled'],
]);
const noLimits: ReadonlySet<string> = new Set([
  ...['-1', 'inf', 'infinite', 'infinity', 'unlimited', 'unbounded', 'forever'],
]);
