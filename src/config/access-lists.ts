/** Who may connect to a listener: the lists in the configuration, and those in files that it names. */
import type { AccessPolicy } from '../core/access/access-policy.ts';
import type { AddressRange } from '../core/access/address-range.ts';
import { type AddressSet, compileAddressSet } from '../core/access/address-set.ts';
import { type ConfigDocument, described } from './document.ts';
import type { Path } from './issues.ts';
import { type ReadFile, readNamedFile } from './named-files.ts';
import { parseNetwork } from './networks.ts';
import type { ListenerInput } from './schema/schema.ts';
import { parsedAt } from './values.ts';

export function readAccess(
  document: ConfigDocument,
  path: Path,
  input: ListenerInput,
  readFile: ReadFile,
): AccessPolicy {
  return {
    allow: readList(document, path, 'allow', input, readFile),
    deny: readList(document, path, 'deny', input, readFile),
  };
}

/** What the key says and what is in the file beside it. Undefined where that is nothing. */
function readList(
  document: ConfigDocument,
  path: Path,
  key: 'allow' | 'deny',
  input: ListenerInput,
  readFile: ReadFile,
): AddressSet | undefined {
  const ranges = [...readNetworks(document, [...path, key], input[key] ?? [])];
  const name = input[`${key}File`];
  const filePath = [...path, `${key}File`];
  const named = name === undefined ? undefined : readNamedFile(document, filePath, name, readFile);
  if (named !== undefined) {
    if (named.text.includes('-----BEGIN ')) {
      document.problem(filePath, `Expected one network or address a line, found a PEM file in ${named.file}`);
      return undefined;
    }
    const entries = entriesOf(named.text);
    for (const range of readEntries(document, filePath, named.file, entries)) ranges.push(range);
    // It would shut everybody out, which is hardly meant.
    if (key === 'allow' && entries.length === 0 && ranges.length === 0) {
      document.problem(filePath, `Expected at least one network or address, found none in ${named.file}`);
    }
  }
  return ranges.length > 0 ? compileAddressSet(ranges) : undefined;
}

interface Entry {
  readonly text: string;
  /** From 1 on. */
  readonly line: number;
  /** The line as it stands in the file. */
  readonly excerpt: string;
}

/** One entry a line; `#` begins a comment, there and after an entry. */
function entriesOf(text: string): readonly Entry[] {
  return text.split('\n').flatMap((excerpt, index) => {
    const entry = (excerpt.split('#', 1)[0] ?? '').trim();
    return entry === '' ? [] : { text: entry, line: index + 1, excerpt };
  });
}

/** A file of another kind has a mistake in every line. */
const mostMistakes = 100;

function readEntries(
  document: ConfigDocument,
  path: Path,
  file: string,
  entries: readonly Entry[],
): readonly AddressRange[] {
  let mistakes = 0;
  const ranges = entries.flatMap(({ text, line, excerpt }) => {
    const network = parseNetwork(text);
    if (network.ok) return network.value;
    mistakes++;
    if (mistakes <= mostMistakes) {
      const message = `Expected ${network.expected}, found ${described(text)}`;
      const column = excerpt.indexOf(text) + 1;
      document.problemIn(file, path, { line, column, message, excerpt: excerpt.trimEnd() });
    }
    return [];
  });
  const untold = mistakes - mostMistakes;
  if (untold > 0)
    document.problem(
      path,
      `Expected one network or address a line, found ${untold} lines more that are none in ${file}`,
    );
  return ranges;
}

/** Leaves out what is no network, which becomes an issue. */
function readNetworks(
  document: ConfigDocument,
  path: Path,
  texts: readonly string[],
): readonly AddressRange[] {
  return texts.flatMap(
    (text, index) => parsedAt(document, [...path, index], parseNetwork(text), undefined) ?? [],
  );
}
