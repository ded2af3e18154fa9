/** JSON Schema, draft 7: the keywords that the options of the configuration use, and what is said to people. */
import type { Guess } from '../guesses.ts';

export interface JsonSchema extends Annotations {
  readonly type?: 'array' | 'boolean' | 'integer' | 'number' | 'object' | 'string';
  readonly enum?: readonly (string | number)[];
  /** Fits where one of these does. */
  readonly anyOf?: readonly JsonSchema[];

  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;

  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;

  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;

  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  readonly minProperties?: number;
}

/** What an editor shows of a value. */
interface Annotations {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  /** A secret: it is never shown. */
  readonly writeOnly?: boolean;
  readonly [expects]?: string;
  readonly [guesses]?: Guess;
}

/** The key of the phrase that says what a schema expects, for messages about other values. JSON leaves it out. */
export const expects: unique symbol = Symbol('expects');

/** The phrase of a schema, which the validator hands back with a mistake. */
export function expectation(schema: unknown): string {
  const phrase = typeof schema === 'object' && schema !== null ? Reflect.get(schema, expects) : undefined;
  return typeof phrase === 'string' ? phrase : 'another value';
}

/** The key of a function that guesses what a value was meant to be that the schema refuses. JSON leaves it out. */
export const guesses: unique symbol = Symbol('guesses');

/** What the schema guesses of a value that it refuses. */
export function guessOf(schema: unknown, found: unknown): string | undefined {
  const guess: Guess | undefined =
    typeof schema === 'object' && schema !== null ? Reflect.get(schema, guesses) : undefined;
  return guess?.(found);
}
