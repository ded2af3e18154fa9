/** Files that a configuration names: certificates, lists. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';

/** Returns the text of the file at an absolute path, or throws the system's error. */
export type ReadFile = (path: string) => string;

export interface NamedFile {
  /** Its absolute path. */
  readonly file: string;
  readonly text: string;
}

/** The file that the value at the path names, relative to the configuration's folder; else an issue. */
export function readNamedFile(
  document: ConfigDocument,
  path: Path,
  name: string,
  readFile: ReadFile,
): NamedFile | undefined {
  const file = resolve(dirname(document.file), name);
  try {
    return { file, text: readFile(file) };
  } catch (error) {
    const template = document.templateAt(path);
    const what = template === undefined ? file : `the file that ${template} names`;
    document.problem(path, `Cannot read ${what}: ${systemErrorText(error)}`);
    return undefined;
  }
}

/** Only regular files, and not too large ones: a pipe may have no writer, a device no end. */
export function readTextFile(path: string): string {
  // Opening a pipe would wait for its writer.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > largestBytes) throw new Error(`it is larger than ${largestBytes / 1024 / 1024} MiB`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** Some 500,000 networks fit, which take about a second to read. */
const largestBytes = 8 * 1024 * 1024;

/** The system's words and code of an error that a system call gave: `no such file or directory (ENOENT)`. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('errno' in error) || typeof error.errno !== 'number') return error.message;
  const [code, words] = getSystemErrorMap().get(error.errno) ?? [];
  return code === undefined ? error.message : `${words} (${code})`;
}
