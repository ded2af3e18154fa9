/**
 * The words that the schema is made of. Each says in a phrase what it expects, for the message that a value
 * gets which is something else. The phrase hangs on a symbol, which JSON leaves out.
 */
import Type, { type TSchema } from 'typebox';
import { type DurationRule, durationPattern, expectedDuration, formatDuration } from '../durations.ts';
import { expectedNetwork } from '../networks.ts';
import { expectedSize, sizePattern } from '../sizes.ts';

export const expects: unique symbol = Symbol('expects');

interface Term {
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** What a schema node, as the validator hands it back, expects. */
export function expectation(schema: unknown): string {
  const phrase = typeof schema === 'object' && schema !== null ? Reflect.get(schema, expects) : undefined;
  return typeof phrase === 'string' ? phrase : 'another value';
}

/** `default` is in milliseconds, and is written as people write it. */
export function duration(rule: DurationRule, term: Omit<Term, 'default'> & { readonly default: number }) {
  const word = rule === 'unlimited' || rule === 'off' ? rule : undefined;
  return Type.String({
    pattern: `^(?:${durationPattern}${word === undefined ? '' : `|${word}`})$`,
    examples: ['250ms', '30s', '10m', ...(word === undefined ? [] : [word])],
    ...term,
    default: formatDuration(term.default, word),
    [expects]: expectedDuration(rule),
  });
}

export function integer(minimum: number, maximum: number, term: Term) {
  return Type.Integer({ minimum, maximum, ...term, [expects]: `an integer from ${minimum} to ${maximum}` });
}

/** Connections that may be open at once. The ledger counts in signed 32-bit integers. */
export function connectionLimit(description: string) {
  const maximum = 2 ** 31 - 1;
  return Type.Union([Type.Integer({ minimum: 1, maximum }), Type.Enum(['unlimited'])], {
    description,
    default: 'unlimited',
    examples: [1000, 'unlimited'],
    [expects]: `an integer from 1 to ${maximum} or "unlimited"`,
  });
}

/** Connections a second, possibly a fraction of one. */
export function rate(description: string) {
  const maximum = 1_000_000;
  return Type.Union([Type.Number({ exclusiveMinimum: 0, maximum }), Type.Enum(['unlimited'])], {
    description,
    default: 'unlimited',
    examples: [500, 0.5, 'unlimited'],
    [expects]: `a number above 0, at most ${maximum}, or "unlimited"`,
  });
}

export function percent(term: Omit<Term, 'default'> & { readonly default: number }) {
  return Type.String({
    pattern: '^(?:100|[0-9]{1,2}(?:\\.[0-9]+)?)%$',
    ...term,
    default: `${term.default}%`,
    [expects]: 'a percentage from "0%" to "100%"',
  });
}

export function size(description: string, fallback: string) {
  return Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: `^${sizePattern}$` })], {
    description,
    default: fallback,
    examples: [16_384, '16KiB'],
    [expects]: expectedSize,
  });
}

export function flag(term: Term) {
  return Type.Boolean({ ...term, [expects]: 'true or false' });
}

export function oneOf<const Word extends string>(words: readonly [Word, ...Word[]], term: Term) {
  return Type.Enum([...words], { ...term, [expects]: orList(words.map((word) => JSON.stringify(word))) });
}

export function text(what: string, term: Term & { readonly [option: string]: unknown }) {
  return Type.String({ minLength: 1, ...term, [expects]: what });
}

/** A mapping with these keys and no others. */
export function mapping<Keys extends Record<string, TSchema>>(keys: Keys, description: string) {
  return Type.Object(keys, { additionalProperties: false, description, [expects]: 'a mapping' });
}

/** A mapping from names that the operator chooses; they become metric labels and parts of paths. */
export function named<Value extends TSchema>(what: string, value: Value, description: string) {
  return Type.Record(Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$' }), value, {
    additionalProperties: false,
    minProperties: 1,
    description,
    [expects]: `a mapping with at least one ${what}`,
  });
}

/** Lists of clients by address. */
export function networks(term: Term & { readonly minItems?: number }) {
  const network = text(expectedNetwork, { description: 'A network in CIDR notation, or an address.' });
  return Type.Array(network, { ...term, [expects]: 'a list of networks such as ["10.0.0.0/8", "::1"]' });
}

export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
