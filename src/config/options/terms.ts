/** The kinds of values that options have. A value whose term has a default may be absent. */
import { dirname, resolve } from 'node:path';
import {
  type DurationRule,
  durationPattern,
  expectedDuration,
  formatDuration,
  meantDuration,
  parseDuration,
} from '../durations.ts';
import {
  type Guess,
  meansUnlimited,
  meantFlag,
  meantNumber,
  meantPercent,
  meantWord,
  quoted,
} from '../guesses.ts';
import type { Location } from '../location.ts';
import { expectedNetwork, meantNetwork, parseNetwork } from '../networks.ts';
import type { Parsed } from '../parsed.ts';
import { expectedSize, formatSize, meantSize, parseSize, sizePattern } from '../sizes.ts';
import { expects, guesses, guessOf, type JsonSchema } from './json-schema.ts';
import { list, type Option, type Reader } from './option.ts';

interface Term<Value> extends JsonSchema {
  readonly description: string;
  readonly default?: Value;
  readonly examples?: readonly unknown[];
}

interface TermWithDefault<Value> extends Term<Value> {
  readonly default: Value;
}

type Leaf<T, V> = T extends { readonly default: unknown } ? Option<V, V> : Reader<V, V>;

/** A value that needs no conversion. */
function leaf<V, T extends Term<V>>(schema: JsonSchema, term: T): Leaf<T, V> {
  const reader: Reader<V, V> = { schema, read: (input) => input };
  // The type asks the same question.
  return ('default' in term ? { ...reader, default: term.default } : reader) as Leaf<T, V>;
}

/** In milliseconds; the schema shows the default as people write it. */
export function duration(rule: DurationRule, term: TermWithDefault<number>): Option<string, number> {
  const word = rule === 'unlimited' || rule === 'off' ? rule : undefined;
  return {
    schema: {
      type: 'string',
      pattern: `^(?:${durationPattern}${word === undefined ? '' : `|${word}`})$`,
      examples: ['250ms', '30s', '10m', ...(word === undefined ? [] : [word])],
      ...term,
      default: formatDuration(term.default, word),
      [expects]: expectedDuration(rule),
      [guesses]: (found: unknown) => meantDuration(found, rule),
    },
    default: term.default,
    read: (text, location) =>
      location.parsed(parseDuration(text, rule), term.default, meantDuration(text, rule)),
  };
}

/** Reports a duration of `low` that is above that of `high`, at the key that the file has. */
export function checkOrder<Low extends string, High extends string>(
  values: Readonly<Record<Low | High, number>>,
  low: Low,
  high: High,
  location: Location,
): void {
  if (values[low] <= values[high]) return;
  if (location.at(high).isWritten) {
    const bound = location.at(low).described(formatDuration(values[low]));
    location.at(high).expected(`at least ${low}, which is ${bound}`);
  } else location.at(low).expected(`at most ${high}, which is ${formatDuration(values[high])}`);
}

export function integer<T extends Term<number>>(minimum: number, maximum: number, term: T): Leaf<T, number> {
  const expected = `an integer from ${minimum} to ${maximum}`;
  const terms = { [expects]: expected, [guesses]: meantNumber(minimum, maximum) };
  return leaf<number, T>({ type: 'integer', minimum, maximum, ...term, ...terms }, term);
}

/** Connections that may be open at once. The ledger counts in signed 32-bit integers. */
export function connectionLimit(description: string): Option<number | 'unlimited', number> {
  const maximum = 2 ** 31 - 1;
  return unlimitedOr(
    { type: 'integer', minimum: 1, maximum },
    {
      description,
      default: 'unlimited',
      examples: [1000, 'unlimited'],
      [expects]: `an integer from 1 to ${maximum} or "unlimited"`,
      [guesses]: orUnlimited(meantNumber(1, maximum)),
    },
  );
}

/** Connections a second, possibly a fraction of one. */
export function rate(description: string): Option<number | 'unlimited', number> {
  const maximum = 1_000_000;
  return unlimitedOr(
    { type: 'number', exclusiveMinimum: 0, maximum },
    {
      description,
      default: 'unlimited',
      examples: [500, 0.5, 'unlimited'],
      [expects]: `a number above 0, at most ${maximum}, or "unlimited"`,
      [guesses]: orUnlimited(meantNumber(Number.MIN_VALUE, maximum, false)),
    },
  );
}

function orUnlimited(guess: Guess): Guess {
  return (found) => (meansUnlimited(found) ? quoted('unlimited') : guess(found));
}

function unlimitedOr(limit: JsonSchema, options: JsonSchema): Option<number | 'unlimited', number> {
  return {
    schema: { anyOf: [limit, { enum: ['unlimited'] }], ...options },
    default: Infinity,
    read: (input) => (input === 'unlimited' ? Infinity : input),
  };
}

/** `10%` is 10. */
export function percent(term: TermWithDefault<number>): Option<string, number> {
  return {
    schema: {
      type: 'string',
      pattern: '^(?:100|[0-9]{1,2}(?:\\.[0-9]+)?)%$',
      ...term,
      default: `${term.default}%`,
      [expects]: 'a percentage from "0%" to "100%"',
      [guesses]: meantPercent,
    },
    default: term.default,
    read: (text) => Number.parseFloat(text),
  };
}

/** The two ways to write a size. */
export const sizeForms: readonly JsonSchema[] = [
  { type: 'integer', minimum: 1 },
  { type: 'string', pattern: `^${sizePattern}$` },
];

/** At least 1 byte and at most `maximum`. */
export function size(maximum: number, term: TermWithDefault<number>): Option<number | string, number> {
  return {
    schema: {
      anyOf: sizeForms,
      ...term,
      default: formatSize(term.default),
      examples: [16_384, '16KiB'],
      [expects]: expectedSize,
      [guesses]: meantSize(maximum),
    },
    default: term.default,
    read: (input, location) => {
      const bytes = location.parsed(parseSize(input), term.default);
      if (bytes < 1 || bytes > maximum) location.expected(`a size from 1 to "${formatSize(maximum)}"`);
      return bytes;
    },
  };
}

export function flag<T extends Term<boolean>>(term: T): Leaf<T, boolean> {
  const terms = { [expects]: 'true or false', [guesses]: meantFlag };
  return leaf<boolean, T>({ type: 'boolean', ...term, ...terms }, term);
}

export function oneOf<const Word extends string, T extends Term<Word>>(
  words: readonly [Word, ...Word[]],
  term: T,
  /** Names that other programs have for them. */
  otherNames: Readonly<Record<string, NoInfer<Word>>> = {},
): Leaf<T, Word> {
  const terms = { [expects]: orList(words.map(quoted)), [guesses]: meantWord(words, otherNames) };
  return leaf<Word, T>({ enum: [...words], ...term, ...terms }, term);
}

export function text<T extends Term<string>>(what: string, term: T): Leaf<T, string> {
  return leaf<string, T>({ type: 'string', minLength: 1, ...term, [expects]: what }, term);
}

/** A file that is not read, by its path relative to the configuration's. Gives the absolute path. */
export function filePath(term: Term<never>): Reader<string, string> {
  return {
    schema: text('the path of a file', { pattern: '[^/]$', ...term }).schema,
    read: (path, { document }) => resolve(dirname(document.file), path),
  };
}

/** A text that is parsed. Reports one that cannot be, and reads it as undefined. */
export function parsedText<V>(
  what: string,
  parse: (text: string) => Parsed<V>,
  term: Term<never>,
): Reader<string, V | undefined> {
  const { schema } = text(what, { ...term });
  return {
    schema,
    read: (input: string, location: Location) =>
      location.parsed(parse(input), undefined, guessOf(schema, input)),
  };
}

export const network = parsedText(expectedNetwork, parseNetwork, {
  description: 'A network in CIDR notation, or an address.',
  [guesses]: meantNetwork,
});

/** A list of clients by their addresses. */
export function networks<V>(
  item: Reader<string, V>,
  term: Term<never> & { readonly minItems?: number },
): Reader<readonly string[], readonly Exclude<V, undefined>[]> {
  return list(item, { ...term, [expects]: 'a list of networks such as ["10.0.0.0/8", "::1"]' });
}

export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
