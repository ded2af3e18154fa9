/** Reads the JSON objects that routes are sent: which keys there are, and what each may be. */
import { parseDuration } from '../../config/durations.ts';
import { nearest } from '../../config/nearest.ts';
import { expected, type Parsed, parsed } from '../../config/parsed.ts';
import { json, type Reply } from '../http.ts';
import { jsonIn } from './json-body.ts';

/** What is wrong with a body, for each key that is mistaken. */
export interface FieldError {
  readonly path?: string;
  readonly message: string;
}

export type Fields = Readonly<Record<string, (value: unknown) => Parsed<unknown>>>;

/** The values of those keys that are there. */
export type FieldValues<F extends Fields> = {
  readonly [Key in keyof F]?: F[Key] extends (value: unknown) => Parsed<infer Value> ? Value : never;
};

export type ReadResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** A JSON object with these keys and no others. */
export function readFields<F extends Fields>(body: Buffer, fields: F): ReadResult<FieldValues<F>> {
  const json = jsonIn(body);
  return 'mistake' in json ? wrong(undefined, json.mistake) : readObject(json.value, fields);
}

/** The same of a value that was parsed already. */
export function readObject<F extends Fields>(given: unknown, fields: F): ReadResult<FieldValues<F>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { ok: false, errors: [{ message: 'Expected a JSON object' }] };
  }
  const keys = Object.keys(fields);
  const errors: FieldError[] = [];
  const values = Object.entries(given).flatMap(([key, value]) => {
    const read = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (read === undefined) {
      errors.push({ path: key, message: unknownKeyText(key, keys) });
      return [];
    }
    const result = read(value);
    if (result.ok) return [[key, result.value] as const];
    errors.push({ path: key, message: `Expected ${result.expected}, ${found(value)}` });
    return [];
  });
  if (errors.length > 0) return { ok: false, errors };
  // Each value is what its own field has made of it.
  return { ok: true, value: Object.fromEntries(values) as FieldValues<F> };
}

/** Names the nearest key, or all. */
export function unknownKeyText(key: string, keys: readonly string[]): string {
  const near = nearest(key, keys);
  return `Expected ${near === undefined ? `one of ${keys.join(', ')}` : `"${near}"`}, found another key`;
}

export function orNull<Value>(
  read: (value: unknown) => Parsed<Value>,
): (value: unknown) => Parsed<Value | null> {
  return (value) => {
    if (value === null) return parsed(null);
    const result = read(value);
    return result.ok ? result : expected(`${result.expected}, or null for the configured one`);
  };
}

export function oneOf<Word extends string>(words: readonly Word[]): (value: unknown) => Parsed<Word> {
  return (value) => {
    const word = words.find((one) => one === value);
    return word === undefined ? expected(`one of ${words.join(', ')}`) : parsed(word);
  };
}

/** Milliseconds, of a text such as `30s`. */
export function duration(value: unknown): Parsed<number> {
  return parseDuration(typeof value === 'string' ? value : '');
}

export function text(most: number): (value: unknown) => Parsed<string> {
  return (value) =>
    typeof value === 'string' && value.length <= most
      ? parsed(value)
      : expected(`a text of at most ${most} characters`);
}

/** A whole number from 1 on; a query has it as a text. */
export function count(most: number): (value: unknown) => Parsed<number> {
  return (value) => {
    const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
    const isCount = typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= most;
    return isCount ? parsed(number) : expected(`an integer from 1 to ${most}`);
  };
}

/** For what is read by itself. */
export function anything(value: unknown): Parsed<unknown> {
  return parsed(value);
}

/** What is wrong in the value of a key is wrong at its place there. */
export function under<Value>(key: string, read: ReadResult<Value>): ReadResult<Value> {
  if (read.ok) return read;
  const errors = read.errors.map(({ path, message }) => ({
    path: path === undefined ? key : `${key}.${path}`,
    message,
  }));
  return { ok: false, errors };
}

/** What is wrong with a key, or with the whole. */
export function wrong(key: string | undefined, message: string): ReadResult<never> {
  return { ok: false, errors: [{ ...(key !== undefined && { path: key }), message }] };
}

/** The answer to a body that is mistaken. */
export function mistaken(errors: readonly FieldError[]): Reply {
  return json(422, { errors });
}

export function found(value: unknown): string {
  return value === undefined ? 'found none' : `found ${JSON.stringify(value)?.slice(0, 100)}`;
}
