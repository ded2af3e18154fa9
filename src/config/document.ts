/** A configuration file's text: its plain value, where each part of it stands, and what was found wrong. */

import { withoutCredentials } from './credentials.ts';
import { formatPath, type Issue, type Path } from './issues.ts';
import { type Place, readNodes } from './reading.ts';
import { harmless, type Range, type Secrets } from './secrets.ts';
import type { Environment } from './substitution.ts';
import { type ComposedYaml, composeYaml } from './yaml.ts';

export class ConfigDocument {
  /** Plain objects (without prototype), arrays and scalars; undefined where the text is not valid YAML. */
  readonly value: unknown;
  readonly warnings: Issue[] = [];
  readonly file: string;
  readonly #issues: Issue[] = [];
  readonly #text: string;
  readonly #lineStarts: readonly number[];
  readonly #root: Place | undefined;
  /** Paths whose text must not be shown, since it may hold a secret. */
  readonly #hidden = new Set<string>();
  readonly #secrets: Secrets;
  readonly #contents: ComposedYaml['contents'];
  /** Lines, counted from 0, with a part of a secret; found when something is shown for the first time. */
  #secretLines: ReadonlySet<number> | 'all' | undefined;

  constructor(file: string, text: string, env: Environment, secrets: Secrets) {
    this.file = file;
    this.#secrets = secrets;
    // A carriage return alone ends a line too (YAML 1.2, 5.4), which the library does not know.
    this.#text = text.replaceAll(/\r(?!\n)/g, '\n');
    this.#lineStarts = [0, ...Array.from(this.#text.matchAll(/\n/g), ({ index }) => index + 1)];
    const { contents, mistakes } = composeYaml(this.#text);
    // The text after a mistake may have been read as something else.
    const isUnclear = mistakes.length > 0 && secrets.mayBeIn(text);
    this.#contents = contents;
    if (isUnclear) this.#secretLines = 'all';
    for (const { offset, message, redacted } of mistakes) {
      this.#issues.push(this.#issue([], offset, isUnclear ? redacted : message));
    }
    if (mistakes.length > 0) return;

    const reading = readNodes(contents, env);
    for (const { path, offset, message, redacted, firstOffset } of reading.mistakes) {
      const shown = secrets.stepsToSecret(path) === undefined ? message : redacted;
      const first =
        firstOffset === undefined ? '' : `; the first is at line ${this.#lineAt(firstOffset) + 1}`;
      this.#issues.push(this.#issue(path, offset, shown + first));
    }
    this.value = reading.value;
    this.#root = reading.place;
  }

  /** In the order of the text, then those of the files that it names; each once. */
  get issues(): readonly Issue[] {
    const byText = new Map(this.#issues.map((issue) => [JSON.stringify(issue), issue]));
    const isElsewhere = ({ file }: Issue): number => (file === this.file ? 0 : 1);
    return [...byText.values()].sort(
      (a, b) =>
        isElsewhere(a) - isElsewhere(b) ||
        (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column),
    );
  }

  /** `at: 'key'` marks the key and not the value. A path that isn't there is shown at the nearest one above it. */
  problem(path: Path, message: string, at: 'key' | 'value' = 'value'): void {
    this.#issues.push(this.#issue(path, this.#offset(path, at), message));
  }

  /** Something wrong in another file, which the value at the path names. */
  problemIn(file: string, path: Path, where: Omit<Issue, 'file' | 'path'>): void {
    this.#issues.push({ file, path: formatPath(path), ...where });
  }

  /** The value at the path is not what was expected; `meant` is what would probably do, as YAML. */
  expected(path: Path, what: string, meant?: string): void {
    // What was made of a value that is not shown would show it.
    const isShown = meant !== undefined && meant.length <= longestGuess && this.#isShown(path);
    const suggestion = isShown ? `; did you mean ${meant}?` : '';
    this.problem(path, `Expected ${what}, found ${this.#found(path)}${suggestion}`);
  }

  warn(path: Path, message: string): void {
    this.warnings.push(this.#issue(path, this.#offset(path, 'key'), message));
  }

  /** An unknown key. Its value is not shown, since it may be a secret. */
  unknownKey(path: Path, message: string): void {
    const issue = this.#issue(path, this.#offset(path, 'key'), message);
    const { column, excerpt } = issue;
    const rest = excerpt?.slice(column - 1) ?? '';
    const [key = ''] = /^("[^"]*"|'[^']*'|[^\s:,}]*)/.exec(rest) ?? [];
    this.#issues.push({ ...issue, excerpt: excerpt?.slice(0, column - 1 + key.length) });
  }

  /** From now on the value is never shown. */
  hide(path: Path): void {
    this.#hidden.add(formatPath(path));
  }

  /** A mistake about a key whose name may be a part of a secret, and so is not shown. */
  unknownSecretKey(path: Path, message: string): void {
    const issue = this.#issue(path, this.#offset(path, 'key'), message);
    this.#issues.push({ ...issue, path: formatPath(path.slice(0, -1)), excerpt: undefined });
  }

  /** Whether the key stands on a line with a secret. */
  isBesideSecret(path: Path): boolean {
    return this.#isSecretLine(this.#lineAt(this.#offset(path, 'key')));
  }

  placeOf(path: Path): Place | undefined {
    return path.reduce<Place | undefined>((place, step) => place?.children.get(step), this.#root);
  }

  /**
   * The text of a value before substitution, in quotes. Messages show it instead of the value: the variable may be the
   * wrong one, and a secret.
   */
  templateAt(path: Path): string | undefined {
    const { template } = this.placeOf(path) ?? {};
    return template === undefined ? undefined : JSON.stringify(template.slice(0, 60));
  }

  lineOf(path: Path): number {
    return this.#lineAt(this.#offset(path, 'value')) + 1;
  }

  #found(path: Path): string {
    if (!this.#isTold(path)) return 'something else';
    const template = this.templateAt(path);
    if (template !== undefined) return `what ${template} stands for`;
    return described(valueAt(this.value, path));
  }

  #isShown(path: Path): boolean {
    return this.#isTold(path) && this.templateAt(path) === undefined;
  }

  /** A mapping may be written as one word, and then no secret stands there. */
  #isTold(path: Path): boolean {
    return harmless.has(valueAt(this.value, path)) || !this.#isHidden(path);
  }

  #isHidden(path: Path): boolean {
    if (this.#secrets.stepsToSecret(path) !== undefined || this.#hidden.has(formatPath(path))) return true;
    // A pool may have such a name, but is a mapping. A text under it is a line that has moved to the wrong key.
    const last = path.at(-1);
    if (
      typeof last === 'string' &&
      this.#secrets.isSecretKey(last) &&
      !isContainer(valueAt(this.value, path))
    )
      return true;
    // An alias may stand for a text that is a secret elsewhere.
    const offset = this.placeOf(path)?.sourceOffset;
    return offset !== undefined && this.#isSecretLine(this.#lineAt(offset));
  }

  #isSecretLine(line: number): boolean {
    this.#secretLines ??= this.#linesOf(this.#secrets.rangesIn(this.#contents));
    return this.#secretLines === 'all' || this.#secretLines.has(line);
  }

  #linesOf(ranges: readonly Range[]): ReadonlySet<number> {
    const lines = new Set<number>();
    for (const { start, end } of ranges) {
      for (let line = this.#lineAt(start); line <= this.#lineAt(end); line++) lines.add(line);
    }
    return lines;
  }

  #offset(path: Path, at: 'key' | 'value'): number {
    let place = this.#root;
    for (const step of path) {
      const child = place?.children.get(step);
      if (child === undefined) return place?.keyOffset ?? place?.offset ?? 0;
      place = child;
    }
    return (at === 'key' ? place?.keyOffset : undefined) ?? place?.offset ?? 0;
  }

  #issue(path: Path, offset: number, message: string): Issue {
    const line = this.#lineAt(offset);
    const start = this.#lineStarts[line] ?? 0;
    const end = this.#text.indexOf('\n', start);
    const text = this.#text.slice(start, end === -1 ? undefined : end);
    const isSecret = this.#isSecretLine(line) || this.#isHidden(path) || withoutCredentials(text) !== text;
    return {
      file: this.file,
      line: line + 1,
      column: offset - start + 1,
      path: formatPath(path.slice(0, this.#secrets.stepsToSecret(path))),
      message: withoutCredentials(message),
      excerpt: isSecret || text.trim() === '' ? undefined : text,
    };
  }

  #lineAt(offset: number): number {
    let low = 0;
    for (let high = this.#lineStarts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** A longer one would not be read. */
const longestGuess = 120;

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (isContainer(value) ? value[step] : undefined), root);
}

/** Arrays and mappings alike are read by key. */
export function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A value as messages show it. */
export function described(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isContainer(value)) return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  return String(value);
}
