/**
 * What must never be shown: the values that the schema marks `writeOnly`, however a file comes to them. Of a file that
 * is read as YAML their places are known; of one that is not, whether it speaks of any.
 */
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node } from 'yaml';
import type { Path } from './issues.ts';
import { nearest } from './nearest.ts';
import { configSchema } from './schema/schema.ts';

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Whether a key's name is that of a secret, or was probably meant to be. What follows its first word does not count. */
export function isSecretKey(key: string): boolean {
  const word = secretWord(key);
  return secretNames.has(word) || (!knownNames.has(word) && nearest(word, [...secretNames]) !== undefined);
}

/** The first word of a key: of `token:abc`, where a space is missing, only that may be shown. */
export function secretWord(key: string): string {
  return /[\w-]+/.exec(key)?.[0] ?? key;
}

/** How many steps of the path lead to a secret; undefined where it leads to none, or into none. */
export function stepsToSecret(path: Path): number | undefined {
  let schemas: readonly unknown[] = [configSchema];
  for (const [index, step] of path.entries()) {
    // A merge adds to the mapping that it stands in.
    if (step === '<<') continue;
    const next = schemas.flatMap((schema) => childrenAt(schema, step));
    const isUnknown = next.length === 0 && typeof step === 'string';
    if (isUnknown ? isSecretKey(step) : next.some(isSecret)) return index + 1;
    if (next.length > 0 || isUnknown) schemas = next;
  }
  return undefined;
}

/** Whether a value of this schema is a secret, or has one among its keys: who writes it wrong may have written that. */
export function mayHoldSecret(schema: unknown): boolean {
  return isSecret(schema) || valuesOf(part(schema, 'properties')).some(isSecret);
}

/** Where the secrets of a file stand, keys included, and all that they refer to. */
export function secretRanges(root: Node | null): readonly Range[] {
  const ranges: Range[] = [];
  const anchored = new Map<string, Node[]>();
  const referredTo = new Set<string>();
  const walk = (node: unknown, path: Path, isHidden: boolean): void => {
    if (!isNode(node)) return;
    if (!isAlias(node) && node.anchor !== undefined)
      anchored.set(node.anchor, [...(anchored.get(node.anchor) ?? []), node]);
    if (isAlias(node) && isHidden) referredTo.add(node.source);
    if (isSeq(node)) for (const [index, item] of node.items.entries()) walk(item, [...path, index], isHidden);
    if (!isMap(node)) return;
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      const below = [...path, name];
      const isOwn = !isHidden && stepsToSecret(below) !== undefined;
      if (isOwn) for (const part of [pair.key, pair.value]) ranges.push(...rangeOf(part));
      walk(pair.key, below, isHidden || isOwn);
      walk(pair.value, below, isHidden || isOwn);
    }
  };
  walk(root, [], false);
  // A set that grows while it is gone through is gone through to its end.
  for (const name of referredTo) {
    for (const node of anchored.get(name) ?? []) {
      ranges.push(...rangeOf(node));
      walk(node, [], true);
    }
  }
  return ranges;
}

/** Whether a text that is no YAML speaks of a secret anywhere. */
export function speaksOfSecrets(text: string): boolean {
  for (const [, word = ''] of text.matchAll(/([\w-]+)["']?\s*[:=]/g)) if (isSecretKey(word)) return true;
  return false;
}

function rangeOf(node: unknown): readonly Range[] {
  const range = isNode(node) ? node.range : undefined;
  return range === undefined || range === null ? [] : [{ start: range[0], end: range[1] }];
}

function isSecret(schema: unknown): boolean {
  return part(schema, 'writeOnly') === true;
}

function childrenAt(schema: unknown, step: string | number): readonly unknown[] {
  const below = valuesOf(part(schema, 'anyOf')).flatMap((form) => childrenAt(form, step));
  if (typeof step === 'number') below.push(part(schema, 'items'));
  else below.push(part(part(schema, 'properties'), step), ...valuesOf(part(schema, 'patternProperties')));
  return below.filter((one) => one !== undefined);
}

function part(schema: unknown, key: string): unknown {
  const isThere = typeof schema === 'object' && schema !== null && Object.hasOwn(schema, key);
  return isThere ? Reflect.get(schema, key) : undefined;
}

function valuesOf(mapping: unknown): readonly unknown[] {
  return typeof mapping === 'object' && mapping !== null ? Object.values(mapping) : [];
}

const knownNames = new Set<string>();
export const secretNames: ReadonlySet<string> = namesIn(configSchema);

function namesIn(schema: unknown, secrets = new Set<string>()): ReadonlySet<string> {
  const keys = part(schema, 'properties');
  for (const name of typeof keys === 'object' && keys !== null ? Object.keys(keys) : []) {
    knownNames.add(name);
    if (isSecret(part(keys, name))) secrets.add(name);
  }
  for (const value of valuesOf(schema)) namesIn(value, secrets);
  return secrets;
}
