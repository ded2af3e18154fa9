/**
 * Checks a document against the schema. Every mistake gets one sentence at its place. The rest is returned without the
 * mistaken parts, so that the checks between values run too and all issues are found at once.
 */
import type { ErrorObject as Mistake } from 'ajv';
import { type ConfigDocument, isContainer, valueAt } from './document.ts';
import type { Path } from './issues.ts';
import { meantKeyOf, meantKeys } from './key-guesses.ts';
import { reportMisplaced } from './misplaced.ts';
import { nearest } from './nearest.ts';
import { type ConfigInput, configSchema, secrets } from './options/config.ts';
import { expectation, guessOf, type JsonSchema, schemaAt } from './options/json-schema.ts';
import { orList } from './options/terms.ts';
import { firstWord, mayHoldSecret } from './secrets.ts';
import { validate } from './validator.ts';

/** The document's value without its mistaken parts; undefined where too little is left. */
export function validInput(document: ConfigDocument): ConfigInput | undefined {
  if (!hasVersionOne(document) || reportMisplaced(document, configSchema)) return undefined;
  for (const error of mistakesIn(document.value)) rereadSubstitution(document, pathOf(error, document.value));
  for (const error of mistakesIn(document.value)) report(document, error);
  return withoutMistakes(document.value);
}

/** A file of another version is not checked against this version's schema. */
function hasVersionOne(document: ConfigDocument): boolean {
  const version = valueAt(document.value, ['version']);
  const isOther = typeof version === 'number' && version !== 1;
  if (isOther) document.expected(['version'], '1, the only version there is');
  return !isOther;
}

/** A value that is one substitution becomes a number or boolean where its key takes no string. */
function rereadSubstitution(document: ConfigDocument, path: Path): void {
  const { reread } = document.placeOf(path) ?? {};
  const parent = valueAt(document.value, path.slice(0, -1));
  const last = path.at(-1);
  if (reread !== undefined && isContainer(parent) && last !== undefined) parent[last] = reread;
}

function report(document: ConfigDocument, mistake: Mistake): void {
  const path = pathOf(mistake, document.value);
  if (document.placeOf(path)?.unreadable) return;
  const schema = schemaOf(mistake);
  const { properties: keys = {} } = schema;
  switch (mistake.keyword) {
    case 'additionalProperties':
      return reportUnknownKey(document, path, Object.keys(keys));
    case 'required': {
      const missing = String(path.at(-1));
      if (isMeantBySibling(document, path, schema)) return;
      return document.problem(path, `Missing key "${missing}", expected ${expectation(keys[missing])}`);
    }
    default:
      if (mayHoldSecret(schema)) document.hide(path);
      return document.expected(path, expectation(schema), guessOf(schema, valueAt(document.value, path)));
  }
}

/**
 * In `token:abc` a space is missing, and the key holds the secret: only its first word is shown. After a token with a
 * comma, the rest of the token looks like a key and is not shown, nor is a key below an empty token.
 */
function reportUnknownKey(document: ConfigDocument, path: Path, known: readonly string[]): void {
  const key = String(path.at(-1));
  const isSecret = secrets.isSecretKey(key);
  const shown = isSecret ? firstWord(key) : key;
  const mayBeTail = !isSecret && !secrets.hasKey(key) && nearest(key, known) === undefined;
  const isTail = mayBeTail && (document.isBesideSecret(path) || hasEmptySecret(document, path.slice(0, -1)));
  if (isTail) document.unknownSecretKey(path, `Unknown key, expected one of ${known.join(', ')}`);
  else if (shown !== key) document.unknownSecretKey(path, unknownKey(path, shown, known));
  else document.unknownKey(path, unknownKey(path, key, known));
}

/** Whether a key beside the missing one was probably meant to be it, which its own message says. */
function isMeantBySibling(document: ConfigDocument, path: Path, schema: JsonSchema): boolean {
  const mapping = valueAt(document.value, path.slice(0, -1));
  const siblings = isContainer(mapping) ? Object.keys(mapping) : [];
  const known = schema.properties ?? {};
  return siblings.some((key) => !Object.hasOwn(known, key) && meantKeyOf(schema, key) === path.at(-1));
}

function hasEmptySecret(document: ConfigDocument, path: Path): boolean {
  const mapping = valueAt(document.value, path);
  return (
    isContainer(mapping) &&
    Object.keys(mapping).some((key) => secrets.isSecretKey(key) && mapping[key] === null)
  );
}

function unknownKey(path: Path, key: string, known: readonly string[]): string {
  const shown = JSON.stringify(key.slice(0, 60));
  if (known.length === 0) {
    return `Expected a name of at most 63 letters, digits, "_", "-" and "." that begins with none of the last two, found ${shown}`;
  }
  const meant = meantKeys(configSchema, [...path.slice(0, -1), key]).map((place) => `"${place}"`);
  return meant.length === 0
    ? `Unknown key ${shown}, expected one of ${known.join(', ')}`
    : `Unknown key ${shown}, did you mean ${orList(meant)}?`;
}

/** The path to the mistaken value; where a key is unknown or missing, to that key. */
function pathOf({ instancePath, params }: Mistake, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const escaped of instancePath.split('/').slice(1)) {
    const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(step) : step);
    value = isContainer(value) ? value[step] : undefined;
  }
  const { additionalProperty, missingProperty } = params;
  const key: unknown = additionalProperty ?? missingProperty;
  return key === undefined ? path : [...path, String(key)];
}

/**
 * A value that fits none of several forms is one mistake, unless it has the shape of one of them: then the mistakes are
 * those of that mapping or list. Ajv lists the mistakes of the forms right before.
 */
function mistakesIn(value: unknown): readonly Mistake[] {
  if (validate(value)) return [];
  const kept: Mistake[] = [];
  for (const mistake of validate.errors ?? []) {
    if (mistake.keyword !== 'anyOf') {
      kept.push(mistake);
      continue;
    }
    const ofForms: Mistake[] = [];
    for (let last = kept.at(-1); last !== undefined && isWithin(last, mistake); last = kept.at(-1)) {
      ofForms.unshift(last);
      kept.pop();
    }
    const ofItsShape = ofForms.filter(({ schemaPath }) =>
      schemaPath.startsWith(`${mistake.schemaPath}/${formWithShapeOf(mistake, value)}/`),
    );
    kept.push(...(ofItsShape.length > 0 ? ofItsShape : [mistake]));
  }
  return kept;
}

function isWithin(inner: Mistake, outer: Mistake): boolean {
  const sameOrBelow =
    inner.instancePath === outer.instancePath || inner.instancePath.startsWith(`${outer.instancePath}/`);
  return sameOrBelow && inner.schemaPath.startsWith(`${outer.schemaPath}/`);
}

function formWithShapeOf(mistake: Mistake, root: unknown): number {
  const value = valueAt(root, pathOf(mistake, root));
  const shape = Array.isArray(value) ? 'array' : isContainer(value) ? 'object' : undefined;
  const { anyOf = [] } = schemaOf(mistake);
  return shape === undefined ? -1 : anyOf.findIndex(({ type }) => type === shape);
}

/** The schema that has the keyword which the value does not fit. */
function schemaOf({ schemaPath }: Mistake): JsonSchema {
  return schemaAt(configSchema, schemaPath.slice(0, schemaPath.lastIndexOf('/')));
}

/**
 * Takes the mistaken parts out, then each mapping that lacks a required key, until the rest is right.
 * A list keeps a hole where an item was, so that the others keep their index. `map`, `flatMap` and `filter` skip holes;
 * `find`, `findIndex` and `for … of` see them as undefined. A mapping may end up empty.
 */
function withoutMistakes(root: unknown): ConfigInput | undefined {
  const isMapping = isContainer(root) && !Array.isArray(root);
  const rest: unknown = isMapping ? { listeners: {}, pools: {}, ...structuredClone(root), version: 1 } : root;
  for (let unfitPaths = unfitPathsIn(rest); unfitPaths.length > 0; unfitPaths = unfitPathsIn(rest)) {
    for (const path of unfitPaths) if (!remove(rest, path)) return undefined;
  }
  // Ajv has just found no mistake but holes and empty mappings, and the schema is the type's source.
  return rest as ConfigInput;
}

function unfitPathsIn(root: unknown): readonly Path[] {
  const unfit = mistakesIn(root).filter(({ keyword }) => keyword !== 'minProperties');
  const paths = unfit.map((mistake) => {
    const path = pathOf(mistake, root);
    return mistake.keyword === 'required' ? path.slice(0, -1) : path;
  });
  return paths.filter((path) => !isHole(root, path));
}

function isHole(root: unknown, path: Path): boolean {
  const list = valueAt(root, path.slice(0, -1));
  const index = path.at(-1);
  return Array.isArray(list) && typeof index === 'number' && !(index in list);
}

/** False for the root, which nothing holds. */
function remove(root: unknown, path: Path): boolean {
  const last = path.at(-1);
  const parent = valueAt(root, path.slice(0, -1));
  if (last !== undefined && isContainer(parent)) delete parent[last];
  return last !== undefined;
}
