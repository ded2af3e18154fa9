/**
 * From a file to a checked config: its text, YAML, the schema, then mistakes that only several values together show.
 * All issues of a file are found in one run.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorCode } from '../drivers/shared.ts';
import type { Config } from './config.ts';
import { ConfigDocument } from './document.ts';
import type { Issue } from './issues.ts';
import { Location } from './location.ts';
import { type ReadFile, readTextFile, systemErrorText } from './named-files.ts';
import { readConfig, secrets } from './options/config.ts';
import { otherProgramOf } from './other-files.ts';
import type { Environment } from './substitution.ts';
import { validInput } from './validation.ts';

/** The config or its issues, and the files that were read for it. */
export type LoadResult = {
  /** Absolute paths of the file, which is the first, and of all that it names, also of those that could not be read. */
  readonly files: readonly string[];
} & (
  | {
      readonly ok: true;
      readonly config: Config;
      readonly warnings: readonly Issue[];
      /** The first 16 digits of what sha256sum(1) prints for the file's text. */
      readonly hash: string;
    }
  | { readonly ok: false; readonly issues: readonly Issue[] }
);

/** Where a configuration comes from. */
export interface ConfigOrigin {
  /** Its absolute path. */
  readonly file: string;
  /** As `LoadResult` has it. */
  readonly hash: string;
}

/** Undefined for a configuration that is wrong. */
export function originOf(loaded: LoadResult): ConfigOrigin | undefined {
  const [file = ''] = loaded.files;
  return loaded.ok ? { file, hash: loaded.hash } : undefined;
}

/** Reads and checks a file. Never rejects: whatever is wrong is an issue. */
export async function loadConfig(file: string, env: Environment): Promise<LoadResult> {
  try {
    return parseConfig(await configText(file), { file, env });
  } catch (error) {
    return wrongAsAWhole(file, `Cannot read the file: ${whyUnreadable(error)}`);
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof TypeError) return 'it is not UTF-8 text; save it as UTF-8';
  return errorCode(error) === 'EISDIR' ? 'it is a folder; name a file in it' : systemErrorText(error);
}

/** The text of a configuration file; only the beginning of one that is too large. Rejects if it can't be read. */
export async function configText(file: string): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true }).decode(await readAtMost(file, largestBytes + 1));
}

export interface ParseOptions {
  /** The file's name, for issues; paths in the text are relative to its folder. */
  readonly file: string;
  readonly env: Environment;
  /** Reads the files that the text names. */
  readonly readFile?: ReadFile;
}

/** Checks the text of a file. Never throws. */
export function parseConfig(text: string, options: ParseOptions): LoadResult {
  const { file, env, readFile = readTextFile } = options;
  if (text.length > largestBytes) {
    return wrongAsAWhole(file, `Expected at most ${largestBytes / 1024} KiB, found a larger file`);
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    return wrongAsAWhole(file, 'Expected the paths of PEM files, found a private key itself');
  }
  const otherProgram = otherProgramOf(text);
  if (otherProgram !== undefined) {
    const message = `Expected a configuration of sluice, found one of ${otherProgram}; docs/coming-from.md shows how the same is written here`;
    return wrongAsAWhole(file, message);
  }
  const document = new ConfigDocument(file, text, env, secrets);
  const isEmpty = document.value === null && document.issues.length === 0;
  if (isEmpty) return wrongAsAWhole(file, 'Expected version, listeners and pools, found an empty file');

  const input = document.value === undefined ? undefined : validInput(document);
  const files = new Set([resolve(file)]);
  const remember: ReadFile = (path) => {
    files.add(path);
    return readFile(path);
  };
  const config = input && readConfig(input, new Location(document, [], remember));
  const { issues, warnings } = document;
  if (config === undefined || issues.length > 0) return { files: [...files], ok: false, issues };
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { files: [...files], ok: true, config: frozen(config), warnings, hash };
}

/** Thousands of backends fit, and no text of this size takes long to read. */
const largestBytes = 256 * 1024;

/** A device or pipe may have no end. */
async function readAtMost(file: string, most: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const bytes = new Uint8Array(most);
    for (let length = 0; ; ) {
      const { bytesRead } = await handle.read(bytes, length, most - length);
      length += bytesRead;
      if (bytesRead === 0 || length === most) return bytes.subarray(0, length);
    }
  } finally {
    await handle.close();
  }
}

function wrongAsAWhole(file: string, message: string): LoadResult {
  const issue: Issue = { file, line: 1, column: 1, path: '', message, excerpt: undefined };
  return { files: [resolve(file)], ok: false, issues: [issue] };
}

/** The same value, frozen to its last leaf. Typed arrays cannot be frozen and are left alone. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
