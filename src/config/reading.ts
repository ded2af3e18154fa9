/**
 * YAML nodes to plain values, each with its place in the text. Follows aliases up to a bound, substitutes environment
 * variables, merges mappings (`<<`), finds duplicate keys. The place of a value that can't be read says so.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type Scalar } from 'yaml';
import type { Path } from './issues.ts';
import { type Environment, substitute } from './substitution.ts';
import type { SyntaxMistake } from './syntax-mistakes.ts';

export interface Place {
  readonly offset: number;
  /** Where it is written, when an alias stands for it. */
  readonly sourceOffset: number;
  /** Where its key begins, if it has one. */
  readonly keyOffset: number | undefined;
  readonly children: ReadonlyMap<string | number, Place>;
  /** The text before substitution, where there was any. */
  readonly template: string | undefined;
  /** A substituted text as a number or boolean, where YAML would read it as one: `${PORT}`. */
  readonly reread: number | boolean | undefined;
  /** The value could not be read, and its mistake has been reported. */
  readonly unreadable: boolean;
}

export interface Reading {
  readonly value: unknown;
  readonly place: Place;
  readonly mistakes: readonly Mistake[];
}

interface Mistake extends SyntaxMistake {
  readonly path: Path;
  /** Where the key stands that this one repeats. */
  readonly firstOffset?: number;
}

export function readNodes(root: Node | null, env: Environment): Reading {
  const reader = new NodeReader(env);
  const { value, place } = reader.read(root, { path: [], keyOffset: undefined });
  return { value, place, mistakes: reader.mistakes };
}

interface Spot {
  readonly path: Path;
  readonly keyOffset: number | undefined;
}

interface NodeRead {
  readonly value: unknown;
  readonly place: Place;
}

/** Aliases may write out at most this many values in all: no list of lists of lists grows without bound. */
const mostAliased = 10_000;

/** In a list, `[::1]:9000` is a mapping whose key is a list. */
const ipv6Hint = ', found a list; quote an IPv6 address, as in "[::1]:9000"';

/** `*:8080` refers to something that is called `:8080`. */
const noAlias = '; a text that begins with "*" needs quotes, and every interface is ":8080"';

/** Blanks that come with texts from web pages and word processors, and are letters to YAML. */
const oddBlank = /[\u00a0\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff]/;

class NodeReader {
  readonly mistakes: Mistake[] = [];
  readonly #env: Environment;
  readonly #anchors = new Map<string, Node>();
  /** Anchored nodes that are being read: an alias of one of them would never end. */
  readonly #open = new Set<Node>();
  #aliasDepth = 0;
  #aliased = 0;

  constructor(env: Environment) {
    this.#env = env;
  }

  read(node: Node | null, spot: Spot): NodeRead {
    if (node === null) return { value: null, place: place(0, spot) };
    const offset = node.range?.[0] ?? 0;
    if (this.#aliasDepth > 0 && ++this.#aliased > mostAliased) {
      const isFirst = this.#aliased === mostAliased + 1;
      return this.#unreadable(
        offset,
        spot,
        isFirst ? `Aliases stand for more than ${mostAliased} values` : undefined,
      );
    }
    if (isAlias(node)) return this.#readAlias(node.source, offset, spot);
    // The nodes below an alias have been read before.
    if (node.anchor !== undefined && this.#aliasDepth === 0) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#readScalar(node, offset, spot);

    this.#open.add(node);
    const read = this.#readCollection(node, offset, spot);
    this.#open.delete(node);
    return read;
  }

  #readCollection(node: Node, offset: number, spot: Spot): NodeRead {
    const children = new Map<string | number, Place>();
    const whole: Place = { ...place(offset, spot), children };
    if (isSeq<Node | null>(node)) {
      const list = node.items.map((item, index) => {
        const read = this.read(item, { path: [...spot.path, index], keyOffset: undefined });
        children.set(index, read.place);
        return read.value;
      });
      return { value: list, place: whole };
    }
    // Without a prototype, so that a key such as __proto__ is a key like any other.
    const mapping: Record<string, unknown> = Object.create(null);
    const merged: NodeRead[] = [];
    const seen = new Map<string, number>();
    if (isMap<Node, Node | null>(node)) {
      for (const { key: keyNode, value } of node.items) {
        const keyOffset = keyNode.range?.[0] ?? offset;
        const key = isScalar(keyNode) ? String(keyNode.value) : undefined;
        if (key === undefined) {
          return this.#unreadable(keyOffset, spot, `Expected a word as key${isSeq(keyNode) ? ipv6Hint : ''}`);
        }
        const path = [...spot.path, key];
        if (oddBlank.test(key)) {
          const index = key.search(oddBlank);
          const name = key.charCodeAt(index).toString(16).toUpperCase().padStart(4, '0');
          this.#mistake(
            path,
            keyOffset + index,
            `Expected a space, found the character U+${name}, which looks like one or like nothing`,
          );
          continue;
        }
        const firstOffset = seen.get(key);
        if (firstOffset !== undefined) {
          const message = `Duplicate key ${JSON.stringify(key.slice(0, 60))}`;
          const redacted = 'Duplicate key';
          this.mistakes.push({ path, offset: keyOffset, message, redacted, firstOffset });
          continue;
        }
        seen.set(key, keyOffset);
        if (path.length === 1 && key.startsWith('x-')) this.#learnAnchors(value);
        else if (isMergeKey(keyNode)) merged.push(...this.#readMerge(value, { path: spot.path, keyOffset }));
        else {
          const read = this.read(value, { path, keyOffset });
          children.set(key, read.place);
          mapping[key] = read.value;
        }
      }
    }
    // A key that stands here wins over one that is merged, and the first merged one over the others.
    for (const { value, place } of merged) {
      for (const [key, child] of place.children) {
        if (children.has(key)) continue;
        children.set(key, child);
        mapping[key] = valueAt(value, key);
      }
    }
    return { value: mapping, place: whole };
  }

  /** Notes the anchors below a key that is left alone, because aliases elsewhere may refer to them. */
  #learnAnchors(node: Node | null): void {
    if (node === null || isAlias(node)) return;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isSeq<Node | null>(node)) for (const item of node.items) this.#learnAnchors(item);
    if (isMap<Node, Node | null>(node)) for (const { value } of node.items) this.#learnAnchors(value);
  }

  /** The mappings that `<<` adds: one, or a list of them. */
  #readMerge(node: Node | null, spot: Spot): readonly NodeRead[] {
    const read = this.read(node, spot);
    const { value, place } = read;
    if (place.unreadable) return [];
    const reads = Array.isArray(value)
      ? value.map((one: unknown, index) => ({ value: one, place: place.children.get(index) ?? place }))
      : [read];
    return reads.filter((one) => {
      if (one.place.unreadable) return false;
      const isMapping = typeof one.value === 'object' && one.value !== null && !Array.isArray(one.value);
      if (!isMapping) {
        const message = 'Expected a mapping to merge, or a list of them';
        this.#mistake(spot.path, one.place.offset, message);
      }
      return isMapping;
    });
  }

  #readAlias(name: string, offset: number, spot: Spot): NodeRead {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const hint = name.startsWith(':') ? noAlias : '';
      return this.#unreadable(
        offset,
        spot,
        `No anchor &${name} before this alias${hint}`,
        `No anchor before this alias${hint}`,
      );
    }
    if (this.#open.has(target)) {
      const redacted = 'The alias stands inside its own anchor';
      return this.#unreadable(offset, spot, `The alias *${name} stands inside its own anchor`, redacted);
    }
    this.#aliasDepth++;
    const read = this.read(target, spot);
    this.#aliasDepth--;
    return { ...read, place: { ...read.place, offset } };
  }

  #readScalar({ value }: Scalar, offset: number, spot: Spot): NodeRead {
    if (typeof value !== 'string' || !value.includes('${')) return { value, place: place(offset, spot) };
    const substituted = substitute(value, this.#env);
    if (!substituted.ok) {
      return this.#unreadable(offset, spot, substituted.message, substituted.redacted);
    }
    const { text } = substituted;
    return { value: text, place: { ...place(offset, spot), template: value, reread: asYaml(value, text) } };
  }

  #unreadable(offset: number, spot: Spot, message: string | undefined, redacted = message): NodeRead {
    if (message !== undefined) this.#mistake(spot.path, offset, message, redacted);
    return { value: undefined, place: { ...place(offset, spot), unreadable: true } };
  }

  #mistake(path: Path, offset: number, message: string, redacted = message): void {
    this.mistakes.push({ path, offset, message, redacted });
  }
}

/** Only the plain word merges; in quotes it is a key like any other. */
function isMergeKey(key: Node): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function valueAt(mapping: unknown, key: string | number): unknown {
  return typeof mapping === 'object' && mapping !== null ? Reflect.get(mapping, key) : undefined;
}

function place(offset: number, { keyOffset }: Spot): Place {
  return {
    offset,
    sourceOffset: offset,
    keyOffset,
    children: new Map(),
    template: undefined,
    reread: undefined,
    unreadable: false,
  };
}

/** A value that is one substitution and nothing else may be a number or boolean, if its key wants one. */
function asYaml(template: string, text: string): number | boolean | undefined {
  if (!/^\$\{[^}]*\}$/.test(template) || text.length > 30) return undefined;
  const { contents } = parseDocument(text, { logLevel: 'silent' });
  const value: unknown = isScalar(contents) ? contents.value : undefined;
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}
