/**
 * How this system resolves names: its hosts file (hosts(5)), its name servers, and what it makes of a short name
 * (resolv.conf(5)).
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { isExhaustion } from '../../../drivers/dial-failure.ts';
import { errorCode } from '../../../drivers/shared.ts';

export interface SystemResolver {
  /** As `address` or `address:port`; none where the file names none. */
  readonly servers: readonly string[];
  /** Domains to complete a name with, in their order. */
  readonly search: readonly string[];
  /** A name with so many dots is asked for as it is before it is completed. */
  readonly ndots: number;
}

/** What the system's settings are read from. */
export interface SystemSettings {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostName: string;
}

export const ownSystem: SystemSettings = {
  file: '/etc/resolv.conf',
  env: process.env,
  hostName: hostname(),
};

/** Without a domain, that of the machine's own name counts; LOCALDOMAIN and RES_OPTIONS win over the file. */
export function parseResolvConf(
  text: string,
  { env, hostName }: Pick<SystemSettings, 'env' | 'hostName'>,
): SystemResolver {
  const servers: string[] = [];
  let search = hostName.includes('.') ? [hostName.replace(/^[^.]*\./, '')] : [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    if (/^[#;]/.test(line)) continue;
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver') servers.push(...words.slice(0, 1).filter(isServer));
    // The last of either counts, and alone.
    else if (keyword === 'search' && words.length > 0) search = words;
    else if (keyword === 'domain' && words.length > 0) search = words.slice(0, 1);
    else if (keyword === 'options') options.push(...words);
  }
  const { LOCALDOMAIN: ownSearch, RES_OPTIONS: ownOptions = '' } = env;
  if (ownSearch !== undefined) search = ownSearch.split(/\s+/).filter((domain) => domain !== '');
  options.push(...ownOptions.split(/\s+/));
  return {
    servers: servers.slice(0, serversMax),
    search: search.map((domain) => domain.replace(/\.$/, '').toLowerCase()),
    ndots: options.reduce(ndotsAfter, 1),
  };
}

/** The names to ask for, in their order, for one that was written. A dot at its end says that it is whole. */
export function candidates(
  written: string,
  { search, ndots }: Pick<SystemResolver, 'search' | 'ndots'>,
): string[] {
  if (written.endsWith('.')) return [written.slice(0, -1)];
  // A domain that is the root makes no other name.
  const completed = search.map((domain) => (domain === '' ? written : `${written}.${domain}`));
  const dots = written.split('.').length - 1;
  const all = dots >= ndots ? [written, ...completed] : [...completed, written];
  return [...new Set(all)].filter((name) => name.length <= nameMaxLength);
}

function isServer(text: string): boolean {
  const host = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, '$1');
  return isIP(host) !== 0;
}

function ndotsAfter(before: number, option: string): number {
  const dots = /^ndots:(\d+)$/.exec(option)?.[1];
  return dots === undefined ? before : Math.min(Number(dots), ndotsMax);
}

/** MAXNS and RES_MAXNDOTS of resolv.h. */
const serversMax = 3;
const ndotsMax = 15;
/** RFC 1035, 2.3.4, as text without the last dot. */
const nameMaxLength = 253;

const { SystemRoot = 'C:\\Windows' } = process.env;
const systemHostsFile =
  process.platform === 'win32' ? `${SystemRoot}\\System32\\drivers\\etc\\hosts` : '/etc/hosts';

/** The names that the hosts file knows: it goes before DNS, as everywhere on the system. */
export async function namesOfHostsFile(): Promise<ReadonlySet<string>> {
  return hostsFileNames(await systemFile(systemHostsFile));
}

/** The names in a hosts file's text, in lower case (hosts(5)). */
export function hostsFileNames(text: string): ReadonlySet<string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().toLowerCase());
  return new Set(lines.flatMap((line) => line.split(/\s+/).slice(1)));
}

/**
 * The text of a file of the system's; empty where there is none, or none for us. Rejects where this process is out of
 * descriptors or memory: what could not be read must not be taken for gone, and names not for others.
 */
export async function systemFile(
  path: string,
  read: (path: string, encoding: 'utf8') => Promise<string> = readFile,
): Promise<string> {
  try {
    return await read(path, 'utf8');
  } catch (error) {
    if (isExhaustion(errorCode(error))) throw error;
    return '';
  }
}
