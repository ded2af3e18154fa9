/**
 * From a file to a config that nobody need check again: text, YAML, schema, and what only several values
 * together can get wrong. All issues of a file are found in one run.
 */
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseNameServer } from './addresses.ts';
import { readAdmin } from './admin.ts';
import { checkBindClashes } from './bind-clashes.ts';
import type { Config, MemoryConfig, ResolverConfig, ShutdownConfig } from './config.ts';
import { defaultLog, defaultMemory, defaultResolver, defaultShutdown, leastBufferBytes } from './defaults.ts';
import { ConfigDocument } from './document.ts';
import { frozen } from './frozen.ts';
import type { Issue } from './issues.ts';
import { bindPlaces, readListeners } from './listeners.ts';
import { type ReadFile, readTextFile } from './named-files.ts';
import { readPools, warnOfUnusedPools } from './pools.ts';
import type { ConfigInput, ResolverInput } from './schema/schema.ts';
import { formatSize, parseSize } from './sizes.ts';
import type { Environment } from './substitution.ts';
import { systemErrorText } from './system-error.ts';
import { validInput } from './validation.ts';
import { durationReader, parsedAt } from './values.ts';

/** What came of a file, and which files that took. */
export type LoadResult = {
  /** Absolute paths of the file and of all that it names, also of those that could not be read. */
  readonly files: readonly string[];
} & (
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] }
);

/** Reads and checks a file. Never rejects: whatever is wrong is an issue. */
export async function loadConfig(file: string, env: Environment): Promise<LoadResult> {
  try {
    return parseConfig(await configText(file), { file, env });
  } catch (error) {
    const why = error instanceof TypeError ? 'it is not UTF-8 text' : systemErrorText(error);
    return wrongAsAWhole(file, `Cannot read the file: ${why}`);
  }
}

/** The text of a configuration file, of one that is too large its beginning. Rejects where it can't be read. */
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
  const document = new ConfigDocument(file, text, env);
  const isEmpty = document.value === null && document.issues.length === 0;
  if (isEmpty) return wrongAsAWhole(file, 'Expected version, listeners and pools, found an empty file');

  const input = document.value === undefined ? undefined : validInput(document);
  const files = new Set([resolve(file)]);
  const remember: ReadFile = (path) => {
    files.add(path);
    return readFile(path);
  };
  const config = input && readConfig(document, input, remember);
  const { issues, warnings } = document;
  if (config === undefined || issues.length > 0) return { files: [...files], ok: false, issues };
  return { files: [...files], ok: true, config: frozen(config), warnings };
}

/** Thousands of backends fit, and no text that does takes long to read. */
const largestBytes = 256 * 1024;

function readConfig(document: ConfigDocument, input: ConfigInput, readFile: ReadFile): Config {
  const listeners = readListeners(document, input, readFile);
  const pools = readPools(document, input, readFile);
  const admin = readAdmin(document, input.admin);
  const adminBinds = admin === 'off' ? [] : [{ address: admin.bind, path: ['admin', 'bind'] }];
  checkBindClashes(document, [...bindPlaces(listeners, input), ...adminBinds]);
  warnOfUnusedPools(document, input);
  return {
    workers: input.workers ?? 'auto',
    driver: input.driver ?? 'auto',
    memory: readMemory(document, input.memory),
    listeners,
    pools,
    admin,
    log: {
      level: input.log?.level ?? defaultLog.level,
      sessions: input.log?.sessions ?? defaultLog.sessions,
      emptySessions: input.log?.emptySessions ?? defaultLog.emptySessions,
    },
    shutdown: readShutdown(document, input.shutdown),
    resolver: readResolver(document, input.resolver),
  };
}

function readMemory(document: ConfigDocument, input: ConfigInput['memory']): MemoryConfig {
  const { buffers = defaultMemory.bufferBytes } = input ?? {};
  if (buffers === 'auto') return { bufferBytes: 'auto' };
  const path = ['memory', 'buffers'];
  const bytes = parsedAt(document, path, parseSize(buffers), leastBufferBytes);
  if (bytes < leastBufferBytes) document.expected(path, `at least "${formatSize(leastBufferBytes)}"`);
  return { bufferBytes: bytes };
}

function readShutdown(document: ConfigDocument, input: ConfigInput['shutdown']): ShutdownConfig {
  const duration = durationReader(document, ['shutdown'], input);
  return {
    delayMs: duration('delay', defaultShutdown.delayMs, 'zero'),
    graceMs: duration('grace', defaultShutdown.graceMs, 'zero'),
  };
}

function readResolver(document: ConfigDocument, input: ResolverInput | undefined): ResolverConfig {
  const { servers = 'system' } = input ?? {};
  return {
    servers:
      servers === 'system'
        ? defaultResolver.servers
        : servers.map((text, index) =>
            parsedAt(document, ['resolver', 'servers', index], parseNameServer(text), text),
          ),
    timeoutMs: durationReader(document, ['resolver'], input)('timeout', defaultResolver.timeoutMs),
  };
}

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
