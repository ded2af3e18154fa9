/** The place of a value in a document: readers report issues there, and read the files that the value names. */
import type { ConfigDocument } from './document.ts';
import type { Issue, Path } from './issues.ts';
import { type NamedFile, type ReadFile, readNamedFile } from './named-files.ts';
import type { Parsed } from './parsed.ts';

export class Location {
  readonly document: ConfigDocument;
  readonly path: Path;
  readonly #readFile: ReadFile;

  constructor(document: ConfigDocument, path: Path, readFile: ReadFile) {
    this.document = document;
    this.path = path;
    this.#readFile = readFile;
  }

  /** The place of a key or an item below this one. */
  at(...steps: Path): Location {
    return new Location(this.document, [...this.path, ...steps], this.#readFile);
  }

  /** Whether the file has anything here, right or wrong. */
  get isWritten(): boolean {
    return this.document.placeOf(this.path) !== undefined;
  }

  /** Whether a variable of the environment has a part in it, so that it must not be shown. */
  get isSubstituted(): boolean {
    return this.document.templateAt(this.path) !== undefined;
  }

  /** From 1 on. */
  get line(): number {
    return this.document.lineOf(this.path);
  }

  /** The value for a message: `text`, but never what a variable of the environment holds. */
  described(text: string): string {
    const template = this.document.templateAt(this.path);
    return template === undefined ? text : `what ${template} stands for`;
  }

  problem(message: string, mark?: 'key' | 'value'): void {
    this.document.problem(this.path, message, mark);
  }

  /** Something wrong in the file that the value names. */
  problemIn(file: string, where: Omit<Issue, 'file' | 'path'>): void {
    this.document.problemIn(file, this.path, where);
  }

  expected(what: string, meant?: string): void {
    this.document.expected(this.path, what, meant);
  }

  warn(message: string): void {
    this.document.warn(this.path, message);
  }

  /**
   * The value that a text was parsed to. If it could not be parsed, reports that, with what was probably `meant`, and
   * returns the fallback.
   */
  parsed<T, F>(result: Parsed<T>, fallback: F, meant?: string): T | F {
    if (result.ok) return result.value;
    this.expected((this.isSubstituted ? result.redacted : undefined) ?? result.expected, meant);
    return fallback;
  }

  /** The file that the value names. Reports a file that cannot be read, and returns undefined. */
  namedFile(name: string): NamedFile | undefined {
    return readNamedFile(this.document, this.path, name, this.#readFile);
  }
}
