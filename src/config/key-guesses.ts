/**
 * Which key was meant where one is unknown: a mistyped one, one that others call so, or one that belongs further in or
 * further out.
 */
import { lettersOf } from './guesses.ts';
import { formatPath, type Path } from './issues.ts';
import { nearest } from './nearest.ts';
import type { JsonSchema } from './options/json-schema.ts';
import { keysLike } from './other-keys.ts';

/** The key of the same mapping that was probably meant; undefined where none is like it. */
export function meantKeyOf(schema: JsonSchema, key: string): string | undefined {
  const known = Object.keys(schema.properties ?? {});
  const [, beforeColon] = /^([A-Za-z]+):./.exec(key) ?? [];
  if (beforeColon !== undefined && known.includes(beforeColon)) return beforeColon;
  const letters = lettersOf(key);
  const isSpeltSo = known.find((one) => lettersOf(one) === letters);
  return isSpeltSo ?? keysLike(key).find((ours) => known.includes(ours)) ?? nearest(key, known);
}

/**
 * What was probably meant by the unknown key at the path, as it is written in that place: another key, those further
 * in, or the whole path of one further out. `root` is the schema of the whole.
 */
export function meantKeys(root: JsonSchema, path: Path): readonly string[] {
  const key = String(path.at(-1));
  const schemas = schemasAlong(root, path.slice(0, -1));
  const own = schemas.at(-1);
  const meant = own && meantKeyOf(own, key);
  if (meant !== undefined)
    return [key.startsWith(`${meant}:`) ? `${meant}: ${key.slice(meant.length + 1)}` : meant];
  const within = own === undefined ? [] : placesIn(own, [key, ...keysLike(key)]);
  if (within.length > 0) return within.length > mostPlaces ? [] : within.map(formatPath);
  const outside = schemas.findLastIndex(
    (schema, index) => index < schemas.length - 1 && Object.hasOwn(schema.properties ?? {}, key),
  );
  return outside < 0 ? [] : [formatPath([...path.slice(0, outside), key])];
}

/** The most keys that a guess names. */
const mostPlaces = 3;

/** The schemas of the mappings and lists on the way to the value at a path, from the root on. */
function schemasAlong(root: JsonSchema, path: Path): readonly JsonSchema[] {
  const schemas = [root];
  for (const step of path) {
    const below = formsOf(schemas.at(-1)).flatMap((form) => childAt(form, step) ?? []);
    const container = below
      .flatMap(formsOf)
      .find(({ properties, patternProperties, items }) => properties ?? patternProperties ?? items);
    if (container === undefined) break;
    schemas.push(container);
  }
  return schemas;
}

function formsOf(schema: JsonSchema | undefined): readonly JsonSchema[] {
  return schema === undefined ? [] : [schema, ...(schema.anyOf ?? [])];
}

function childAt(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items;
  return schema.properties?.[step] ?? Object.values(schema.patternProperties ?? {})[0];
}

/** The shallowest places within a mapping whose key is one of those. */
function placesIn(mapping: JsonSchema, keys: readonly string[]): readonly Path[] {
  const wanted = new Set(keys.map(lettersOf));
  let level: readonly { readonly schema: JsonSchema; readonly path: Path }[] = [
    { schema: mapping, path: [] },
  ];
  // A schema has an end, as it is no list of references.
  while (level.length > 0) {
    const below = level.flatMap(({ schema, path }) =>
      formsOf(schema).flatMap(({ properties = {} }) =>
        Object.entries(properties).map(([key, schema]) => ({ key, schema, path: [...path, key] })),
      ),
    );
    const found = below.filter(({ key }) => wanted.has(lettersOf(key)));
    if (found.length > 0) return found.map(({ path }) => path);
    level = below;
  }
  return [];
}
