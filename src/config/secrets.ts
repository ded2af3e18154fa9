/**
 * What must never be shown: the values that the schema marks `writeOnly`, wherever a file has them. In a file that is
 * valid YAML their places are known. In one that is not, only its words tell whether it may have any.
 */
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node } from 'yaml';
import type { Path } from './issues.ts';
import { nearest } from './nearest.ts';

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The secrets of a configuration, by its schema. */
export class Secrets {
  /** The keys of secrets. */
  readonly keys: ReadonlySet<string>;
  readonly #knownKeys = new Set<string>();
  readonly #schema: unknown;

  constructor(schema: unknown) {
    this.#schema = schema;
    this.keys = this.#keysIn(schema);
  }

  /** Whether a key is that of a secret, or was probably meant to be. What follows its first word does not count. */
  isSecretKey(key: string): boolean {
    const word = firstWord(key);
    const isKnown = this.#knownKeys.has(word);
    return this.keys.has(word) || (!isKnown && nearest(word, [...this.keys]) !== undefined);
  }

  /** Whether the schema has such a key anywhere. */
  hasKey(key: string): boolean {
    return this.#knownKeys.has(key);
  }

  /** How many steps of the path lead to a secret; undefined where it leads to none, or into none. */
  stepsToSecret(path: Path): number | undefined {
    let schemas: readonly unknown[] = [this.#schema];
    for (const [index, step] of path.entries()) {
      // A merge adds to the mapping that it stands in.
      if (step === '<<') continue;
      const next = schemas.flatMap((schema) => childrenAt(schema, step));
      const isUnknown = next.length === 0 && typeof step === 'string';
      // A mapping where a list of what has secrets was expected: they may be its values.
      if (isUnknown && schemas.some(listsSecrets)) return index + 1;
      if (isUnknown ? this.isSecretKey(step) : next.some(isSecret)) return index + 1;
      if (next.length > 0 || isUnknown) schemas = next;
    }
    return undefined;
  }

  /** Where the secrets of a file stand, with their keys and with all that they refer to. */
  rangesIn(root: Node | null): readonly Range[] {
    const ranges: Range[] = [];
    const anchored = new Map<string, Node[]>();
    const referredTo = new Set<string>();
    const walkValue = (node: unknown, path: Path, isHidden: boolean): void => {
      const meant = isAlias(node) ? (anchored.get(node.source) ?? []) : [node];
      const isMistaken = meant.some((one) => isNode(one) && this.#isMistakenForSecret(one, path));
      if (!isHidden && isMistaken) for (const one of meant) ranges.push(...rangeOf(one));
      walk(node, path, isHidden);
    };
    const walk = (node: unknown, path: Path, isHidden: boolean): void => {
      if (!isNode(node)) return;
      if (!isAlias(node) && node.anchor !== undefined)
        anchored.set(node.anchor, [...(anchored.get(node.anchor) ?? []), node]);
      if (isAlias(node) && isHidden) referredTo.add(node.source);
      if (isSeq(node))
        for (const [index, item] of node.items.entries()) walkValue(item, [...path, index], isHidden);
      if (!isMap(node)) return;
      for (const pair of node.items) {
        if (!isPair(pair)) continue;
        const name = isScalar(pair.key) ? String(pair.key.value) : '';
        const below = [...path, name];
        const isOwn = !isHidden && this.stepsToSecret(below) !== undefined;
        if (isOwn) for (const part of [pair.key, pair.value]) ranges.push(...rangeOf(part));
        walk(pair.key, below, isHidden || isOwn);
        walkValue(pair.value, below, isHidden || isOwn);
      }
    };
    walkValue(root, [], false);
    // The loop also visits the names that are added to the set while it runs.
    for (const name of referredTo) {
      for (const node of anchored.get(name) ?? []) {
        ranges.push(...rangeOf(node));
        walk(node, [], true);
      }
    }
    return ranges;
  }

  /** Whether a secret may stand as a text in place of what has it, or as a key in place of the one that it lacks. */
  #isMistakenForSecret(node: Node, path: Path): boolean {
    const schemas = this.#schemasAt(path);
    if (isScalar(node)) return !harmless.has(node.value) && schemas.some(mayHoldSecret);
    if (!isMap(node) || schemas.length === 0) return false;
    const written = node.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''));
    return schemas.some((schema) => {
      const keys = part(schema, 'properties');
      const isUnknown = written.some((key) => key !== '<<' && part(keys, key) === undefined);
      return (
        isUnknown && requiredOf(schema).some((key) => isSecret(part(keys, key)) && !written.includes(key))
      );
    });
  }

  #schemasAt(path: Path): readonly unknown[] {
    const steps = path.filter((step) => step !== '<<');
    return steps.reduce<readonly unknown[]>(
      (schemas, step) => schemas.flatMap((schema) => childrenAt(schema, step)),
      [this.#schema],
    );
  }

  /** Whether a text that is not valid YAML may have a secret anywhere. */
  mayBeIn(text: string): boolean {
    for (const [word] of text.matchAll(maybeKeys)) if (this.isSecretKey(word)) return true;
    return false;
  }

  #keysIn(schema: unknown, secrets = new Set<string>()): ReadonlySet<string> {
    const keys = part(schema, 'properties');
    for (const name of typeof keys === 'object' && keys !== null ? Object.keys(keys) : []) {
      this.#knownKeys.add(name);
      if (isSecret(part(keys, name))) secrets.add(name);
    }
    for (const value of valuesOf(schema)) this.#keysIn(value, secrets);
    return secrets;
  }
}

/**
 * Words before a colon or an equals sign, and the first of a line with more: its colon may be what is missing. A match
 * begins where a word does, so that a word of any length takes time by its length.
 */
const maybeKeys =
  /(?<![\w-])[\w-]+(?=["']?\s*[:=])|(?=[\w-])(?<=^[ \t]*(?:-[ \t]+)?["']?)[\w-]+(?=["']?[ \t])/gm;

/** The part of a key that may be shown: in `token:abc`, where a space is missing, the rest is the secret. */
export function firstWord(key: string): string {
  return /[\w-]+/.exec(key)?.[0] ?? key;
}

/** Texts that are written in place of a mapping, and are no secret. */
export const harmless: ReadonlySet<unknown> = new Set([null, true, false, 'on', 'off', 'yes', 'no']);

/**
 * Whether a value of this schema is a secret, has one among its keys, or lists such: if it is wrong, the secret may be
 * its text.
 */
export function mayHoldSecret(schema: unknown): boolean {
  return isSecret(schema) || valuesOf(part(schema, 'properties')).some(isSecret) || listsSecrets(schema);
}

function listsSecrets(schema: unknown): boolean {
  const items = part(schema, 'items');
  return items !== undefined && mayHoldSecret(items);
}

function requiredOf(schema: unknown): readonly string[] {
  const required = part(schema, 'required');
  return Array.isArray(required) ? required : [];
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
