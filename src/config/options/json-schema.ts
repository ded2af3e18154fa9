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

/** The phrase of a schema. */
export function expectation(schema: JsonSchema | undefined): string {
  return schema?.[expects] ?? 'another value';
}

/** The key of a function that guesses what a value was meant to be that the schema refuses. JSON leaves it out. */
export const guesses: unique symbol = Symbol('guesses');

/** What the schema guesses of a value that it refuses. */
export function guessOf(schema: JsonSchema | undefined, found: unknown): string | undefined {
  return schema?.[guesses]?.(found);
}

/** The schema within another that a fragment points to, as in `#/properties/version` (RFC 6901, section 6). */
export function schemaAt(root: JsonSchema, fragment: string): JsonSchema {
  let found: unknown = root;
  for (const step of fragment.split('/').slice(1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined;
  }
  // Fragments come from the validator, which was made of this schema.
  return found as JsonSchema;
}
