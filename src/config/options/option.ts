/**
 * An option of the configuration: the schema of its value, how the value is read, and its default. A mapping has a
 * table from key to option. The schema of the whole file and its types are made from these tables.
 */
import { type Guess, meansOff, meansOn, quoted, textOf } from '../guesses.ts';
import type { Location } from '../location.ts';
import { expects, guesses, guessOf, type JsonSchema } from './json-schema.ts';

/** A value that must be there, such as an item of a list. */
export interface Reader<Input, Value> {
  readonly schema: JsonSchema;
  /** The input fits the schema. What is wrong with it besides becomes an issue at the location. */
  read(input: Input, location: Location): Value;
}

/** A value that may be absent. */
export interface Option<Input, Value> extends Reader<Input, Value> {
  readonly default: Value;
}

export type Table = Readonly<Record<string, Reader<never, unknown>>>;

/** The types of what a reader is given and of what it returns. */
export type Input<R> = R extends { read(input: infer I, location: Location): unknown } ? I : never;
export type Value<R> = R extends { read(input: never, location: Location): infer V } ? V : never;

type OptionalKey<T> = { [K in keyof T]: T[K] extends { readonly default: unknown } ? K : never }[keyof T];
export type Inputs<T> = { readonly [K in Exclude<keyof T, OptionalKey<T>>]: Input<T[K]> } & {
  readonly [K in OptionalKey<T>]?: Input<T[K]>;
};
export type Values<T> = { readonly [K in keyof T]: Value<T[K]> };
export type Defaults<T> = { readonly [K in OptionalKey<T>]: Value<T[K]> };

/** What is said of a mapping where something else is written. */
export interface MappingAbout {
  /** As YAML; without one, its keys are listed. */
  readonly example?: string;
  readonly guess?: Guess;
}

/** A mapping with these keys and no others. `build` makes one value from theirs, and may report issues. */
export function mapping<T extends Table, V>(
  description: string,
  table: T,
  build: (values: Values<T>, location: Location, input: Inputs<T>) => V,
  about: MappingAbout = {},
): Reader<Inputs<T>, V> {
  const { example, guess } = about;
  const keys = Object.keys(table);
  return {
    schema: objectSchema(table, {
      additionalProperties: false,
      description,
      [expects]: example === undefined ? `a mapping with ${keys.join(', ')}` : `a mapping such as ${example}`,
      [guesses]: (found: unknown) =>
        guess?.(found) ?? meantMapping(found, keys) ?? (meansOff(found) ? 'to leave the key out' : undefined),
    }),
    read: (input, location) => build(readTable(table, input, location), location, input),
  };
}

/** `key:value`, which lacks its blank, is a text and no mapping. */
function meantMapping(found: unknown, keys: readonly string[]): string | undefined {
  const [, key = '', value] = /^(\w+):(\S.*)$/.exec(textOf(found)) ?? [];
  return keys.includes(key) ? `{ ${key}: ${value} }` : undefined;
}

/**
 * A mapping that may be absent, as may each of its keys. `build` makes one value from theirs, and the section's default
 * from their defaults. `check` reports mistakes that only several values together show.
 */
export function section<T extends Readonly<Record<string, Option<never, unknown>>>, V>(
  description: string,
  table: T,
  build: (values: Values<T>) => V,
  check?: (values: Values<T>, location: Location, input: Inputs<T>) => void,
): Option<Inputs<T>, V> {
  const whole = mapping(
    description,
    table,
    (values: Values<T>, location, input) => {
      check?.(values, location, input);
      return build(values);
    },
    { guess: (found) => (meansOn(found) ? '{}' : undefined) },
  );
  // Each option of the table has a default.
  return { ...whole, default: build(defaultsOf(table) as Values<T>) };
}

/** The word `off`, or what the reader takes. */
export function orOff<I, V>(
  reader: Reader<I, V>,
  expected: string,
  term: { readonly description: string; readonly default?: unknown; readonly examples?: readonly unknown[] },
  /** What turns it on, for people who write `true`. */
  on = '{}',
): Reader<I | 'off', V | 'off'> {
  const guess: Guess = (found) => (meansOff(found) ? quoted('off') : meansOn(found) ? on : undefined);
  return {
    schema: {
      anyOf: [{ enum: ['off'] }, reader.schema],
      ...term,
      [expects]: expected,
      [guesses]: guess,
    },
    read: (input, location) => (input === 'off' ? 'off' : reader.read(input, location)),
  };
}

/** A list. It leaves out the items that are mistaken, and those that are read as undefined. */
export function list<I, V>(
  item: Reader<I, V>,
  options: JsonSchema,
): Reader<readonly I[], readonly Exclude<V, undefined>[]> {
  return {
    schema: {
      type: 'array',
      items: item.schema,
      [guesses]: (found: unknown) => meantList(found, item.schema),
      ...options,
    },
    read: (input, location) => present(input.map((one, index) => item.read(one, location.at(index)))),
  };
}

/** A list of which only the one item is written, or whose dashes lack their blanks. */
export function meantList(found: unknown, item?: JsonSchema): string | undefined {
  const [, afterDash] = /^-(\S+)/.exec(textOf(found)) ?? [];
  if (typeof found === 'string' && afterDash !== undefined)
    return `"- ${afterDash}", with a blank after the dash`;
  const isScalar = (typeof found === 'string' && found !== '') || typeof found === 'number';
  return isScalar ? `[${guessOf(item, found) ?? JSON.stringify(found)}]` : undefined;
}

/** One item, or a list of them. */
export function oneOrList<I, V>(
  schema: JsonSchema,
  one: Reader<I, V>,
  many: Reader<readonly I[], readonly Exclude<V, undefined>[]>,
): Reader<I | readonly I[], readonly Exclude<V, undefined>[]> {
  const isList = (input: I | readonly I[]): input is readonly I[] => Array.isArray(input);
  return {
    schema,
    read: (input, location) =>
      isList(input) ? many.read(input, location) : present([one.read(input, location)]),
  };
}

function present<V>(values: readonly V[]): readonly Exclude<V, undefined>[] {
  return values.filter((value): value is Exclude<V, undefined> => value !== undefined);
}

/** A mapping from names that the operator chooses; they become metric labels and parts of paths. */
export function named<I, V>(
  what: string,
  value: Reader<I, V>,
  description: string,
): Reader<Readonly<Record<string, I>>, readonly (readonly [name: string, value: V])[]> {
  return {
    schema: {
      type: 'object',
      patternProperties: { '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$': value.schema },
      additionalProperties: false,
      minProperties: 1,
      description,
      [expects]: `a mapping with at least one ${what}`,
      [guesses]: meantNames,
    },
    read: (input, location) =>
      Object.entries(input).map(([name, one]) => [name, value.read(one, location.at(name))]),
  };
}

/** In a list, each item has its name as a key among others, or none. */
function meantNames(found: unknown): string | undefined {
  if (!Array.isArray(found)) return undefined;
  const [first]: unknown[] = found;
  const name = typeof first === 'object' && first !== null ? textOf(Reflect.get(first, 'name')) : '';
  return name === '' ? 'names instead of dashes, as in "web:"' : `"${name}:" instead of "- name: ${name}"`;
}

/** An option that is undefined where the file does not have it. */
export function optional<I, V>(reader: Reader<I, V>): Option<I, V | undefined> {
  return withDefault(reader, undefined);
}

export function withDefault<I, V, D>(reader: Reader<I, V>, value: D): Option<I, V | D> {
  return { ...reader, default: value };
}

export function objectSchema(table: Table, more: JsonSchema): JsonSchema {
  const required = Object.entries(table).flatMap(([key, option]) => ('default' in option ? [] : [key]));
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(Object.entries(table).map(([key, { schema }]) => [key, schema])),
    ...more,
  };
}

export function readTable<T extends Table>(table: T, input: Inputs<T>, location: Location): Values<T> {
  const given: Readonly<Record<string, unknown>> = input;
  const values = Object.entries(table).map(([key, option]) => {
    const value = given[key];
    // The validator has found that each key's value fits the schema of its option.
    return [
      key,
      value === undefined ? Reflect.get(option, 'default') : option.read(value as never, location.at(key)),
    ];
  });
  // The keys are the table's, and each value is what its option gives.
  return Object.fromEntries(values) as Values<T>;
}

/** The values of a table where the file has none of its keys. */
export function defaultsOf<T extends Table>(table: T): Defaults<T> {
  const defaults = Object.entries(table).flatMap(([key, option]) =>
    'default' in option ? [[key, option.default]] : [],
  );
  // These are the keys of the options that have a default.
  return Object.fromEntries(defaults) as Defaults<T>;
}
