/**
 * Holds a document against the schema. Every mistake gets one sentence at its place; what is left without the
 * mistaken parts is given back, so that the checks between values can speak up in the same run.
 */
import { Ajv, type ErrorObject } from 'ajv';
import { type ConfigDocument, isContainer, valueAt } from './document.ts';
import type { Path } from './issues.ts';
import { nearest } from './nearest.ts';
import { type ConfigInput, configSchema } from './schema/schema.ts';
import { expectation } from './schema/terms.ts';

/** Undefined where too little is left. Without issues in the document, the input is all of it. */
export function validInput(document: ConfigDocument): ConfigInput | undefined {
  if (!hasVersionOne(document)) return undefined;
  for (const error of mistakesIn(document.value)) rereadSubstitution(document, pathOf(error, document.value));
  for (const error of mistakesIn(document.value)) report(document, error);
  return withoutMistakes(document.value);
}

type Mistake = ErrorObject<string, Record<string, unknown>, unknown>;

/** A file of another version is not held against this one's schema. */
function hasVersionOne(document: ConfigDocument): boolean {
  const version = valueAt(document.value, ['version']);
  const isOther = typeof version === 'number' && version !== 1;
  if (isOther) document.expected(['version'], '1, the only version there is');
  return !isOther;
}

/** A value that is one substitution is read as a number or boolean where a string will not do. */
function rereadSubstitution(document: ConfigDocument, path: Path): void {
  const { reread } = document.placeOf(path) ?? {};
  const parent = valueAt(document.value, path.slice(0, -1));
  const last = path.at(-1);
  if (reread !== undefined && isContainer(parent) && last !== undefined) parent[last] = reread;
}

function report(document: ConfigDocument, mistake: Mistake): void {
  const path = pathOf(mistake, document.value);
  if (document.placeOf(path)?.unreadable) return;
  const { keyword, params, parentSchema } = mistake;
  const keys = isContainer(parentSchema?.['properties']) ? parentSchema['properties'] : {};
  switch (keyword) {
    case 'additionalProperties':
      return document.problem(path, unknownKey(String(params['additionalProperty']), Object.keys(keys)), 'key');
    case 'required': {
      const missing = String(params['missingProperty']);
      return document.problem(path, `Missing key "${missing}", expected ${expectation(keys[missing])}`);
    }
    default:
      if (parentSchema?.['writeOnly'] === true) document.hide(path);
      return document.expected(path, expectation(parentSchema));
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const shown = JSON.stringify(key.slice(0, 60));
  if (known.length === 0) {
    return `Expected a name of at most 63 letters, digits, "_", "-" and "." that begins with none of the last two, found ${shown}`;
  }
  const meant = nearest(key, known);
  return meant === undefined
    ? `Unknown key ${shown}, expected one of ${known.join(', ')}`
    : `Unknown key ${shown}, did you mean "${meant}"?`;
}

/** Of an unknown or missing key, the path to that key. */
function pathOf({ instancePath, params }: Mistake, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const escaped of instancePath.split('/').slice(1)) {
    const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(step) : step);
    value = isContainer(value) ? value[step] : undefined;
  }
  const key = params['additionalProperty'] ?? params['missingProperty'];
  return key === undefined ? path : [...path, String(key)];
}

/**
 * A value that fits none of several forms is told once, unless it has the shape of one of them: a mapping or
 * list is then told what is wrong with it as such. Ajv lists the mistakes of the forms right before.
 */
function mistakesIn(value: unknown): readonly Mistake[] {
  if (validate(value)) return [];
  const told: Mistake[] = [];
  // Ajv's own type leaves the errors' parameters open to any.
  for (const mistake of (validate.errors ?? []) as Mistake[]) {
    if (mistake.keyword !== 'anyOf') {
      told.push(mistake);
      continue;
    }
    const ofForms: Mistake[] = [];
    for (let last = told.at(-1); last !== undefined && isWithin(last, mistake); last = told.at(-1)) {
      ofForms.unshift(last);
      told.pop();
    }
    const ofItsShape = ofForms.filter(({ schemaPath }) =>
      schemaPath.startsWith(`${mistake.schemaPath}/${formWithShapeOf(mistake)}/`),
    );
    told.push(...(ofItsShape.length > 0 ? ofItsShape : [mistake]));
  }
  return told;
}

function isWithin(inner: Mistake, outer: Mistake): boolean {
  const sameOrBelow = inner.instancePath === outer.instancePath || inner.instancePath.startsWith(`${outer.instancePath}/`);
  return sameOrBelow && inner.schemaPath.startsWith(`${outer.schemaPath}/`);
}

function formWithShapeOf({ data, schema }: Mistake): number {
  const shape = Array.isArray(data) ? 'array' : isContainer(data) ? 'object' : undefined;
  return Array.isArray(schema) && shape !== undefined ? schema.findIndex((form) => form.type === shape) : -1;
}

/**
 * Takes the mistaken parts out, and whatever then lacks something that it must have, until the rest is right.
 * A list goes as a whole, since the places of its other items would no longer be theirs.
 */
function withoutMistakes(root: unknown): ConfigInput | undefined {
  const rest: unknown = structuredClone(root);
  if (isContainer(rest)) rest['version'] = 1;
  for (let mistakes = mistakesIn(rest); mistakes.length > 0; mistakes = mistakesIn(rest)) {
    for (const mistake of mistakes) {
      const path = pathOf(mistake, rest);
      const culprit = mistake.keyword === 'required' ? path.slice(0, -1) : path;
      if (!remove(rest, culprit)) return undefined;
    }
  }
  // Ajv has just found no mistake, and the schema is the type's source.
  return rest as ConfigInput;
}

function remove(root: unknown, path: Path): boolean {
  const last = path.at(-1);
  if (last === undefined) return false;
  if (typeof last === 'number') return remove(root, path.slice(0, -1));
  const parent = valueAt(root, path.slice(0, -1));
  if (isContainer(parent)) delete parent[last];
  return true;
}

/**
 * Draft 7, which every editor's YAML support understands; the schema needs nothing newer. `verbose` brings the
 * schema node of each mistake along, with its phrase.
 */
const validate = new Ajv({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true }).compile(configSchema);
