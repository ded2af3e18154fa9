/** The clients that may connect to a listener: the lists in the configuration, and those in files that it names. */
import type { AccessPolicy } from '../../core/access/access-policy.ts';
import type { AddressRange } from '../../core/access/address-range.ts';
import { type AddressSet, compileAddressSet } from '../../core/access/address-set.ts';
import { described } from '../document.ts';
import type { Location } from '../location.ts';
import { meantNetwork, parseNetwork } from '../networks.ts';
import { type Option, type Values, withDefault } from './option.ts';
import { network, networks, text } from './terms.ts';

export const access = {
  allow: withDefault(
    networks(network, {
      minItems: 1,
      description: 'Networks and addresses of clients; once some are allowed, all others are denied.',
      examples: [['10.0.0.0/8', '::1']],
    }),
    [],
  ),
  allowFile: listFile('More to allow'),
  deny: withDefault(
    networks(network, {
      description: 'Networks and addresses of clients that are denied, even when allowed.',
      examples: [['10.9.0.0/16']],
    }),
    [],
  ),
  denyFile: listFile('More to deny'),
};

export type AccessLists = Values<typeof access>;

export function accessPolicy({ allow, allowFile, deny, denyFile }: AccessLists): AccessPolicy {
  return { allow: setOf(allow, allowFile), deny: setOf(deny, denyFile) };
}

/** An empty `allow` list would shut everybody out, which is probably a mistake. */
export function checkAccess({ allow, allowFile }: AccessLists, location: Location): void {
  if (allowFile === undefined || !allowFile.isEmpty || allow.length > 0) return;
  location
    .at('allowFile')
    .problem(`Expected at least one network or address, found none in ${allowFile.file}`);
}

/** Undefined where there is none. */
function setOf(ranges: readonly AddressRange[], file: ListFile | undefined): AddressSet | undefined {
  const all = file === undefined ? ranges : [...ranges, ...file.ranges];
  return all.length > 0 ? compileAddressSet(all) : undefined;
}

export interface ListFile {
  readonly file: string;
  readonly ranges: readonly AddressRange[];
  /** Whether it has no entry, right or wrong. */
  readonly isEmpty: boolean;
}

function listFile(what: string): Option<string, ListFile | undefined> {
  const { schema } = text('the path of a text file', {
    description: `${what}: a file of one network or address a line, # for comments, relative to this file.`,
    examples: ['clients.txt'],
  });
  return { schema, default: undefined, read: readListFile };
}

function readListFile(name: string, location: Location): ListFile | undefined {
  const named = location.namedFile(name);
  if (named === undefined) return undefined;
  const { file, text } = named;
  if (text.includes('-----BEGIN ')) {
    location.problem(`Expected one network or address a line, found a PEM file in ${file}`);
    return undefined;
  }
  const entries = entriesOf(text);
  return { file, ranges: readEntries(entries, file, location), isEmpty: entries.length === 0 };
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

/** A file of another kind would have a mistake in every line. */
const mostMistakes = 100;

function readEntries(entries: readonly Entry[], file: string, location: Location): readonly AddressRange[] {
  let mistakes = 0;
  const ranges = entries.flatMap(({ text, line, excerpt }) => {
    const network = parseNetwork(text);
    if (network.ok) return network.value;
    mistakes++;
    if (mistakes <= mostMistakes) {
      const meant = meantNetwork(text);
      const guess = meant === undefined ? '' : `; did you mean ${meant}?`;
      const message = `Expected ${network.expected}, found ${described(text)}${guess}`;
      const column = excerpt.indexOf(text) + 1;
      location.problemIn(file, { line, column, message, excerpt: excerpt.trimEnd() });
    }
    return [];
  });
  const more = mistakes - mostMistakes;
  if (more > 0) {
    location.problem(
      `Expected one network or address a line, found ${more} lines more that are none in ${file}`,
    );
  }
  return ranges;
}
