/**
 * What a text that is no address was probably meant to say: lines of nginx and HAProxy, URLs of Traefik, ports as
 * Docker writes them, IPv6 without brackets, several addresses in one text.
 */
import { isIPv6 } from 'node:net';
import { quoted } from './guesses.ts';

/** What is an address here, and what stands for things that other proxies say beside one. */
export interface AddressSyntax {
  isAddress(text: string): boolean;
  /** The host of a port that has none. */
  readonly host: string;
  /** What turns TLS on. */
  readonly tls: string;
  /** What `check` turns on in HAProxy. */
  readonly check?: string;
}

export interface MeantAddress {
  /** Several, where the text is a list of them. */
  readonly addresses: readonly string[];
  /** Keys of the one backend, as YAML. */
  readonly keys: readonly string[];
  /** What is to be written elsewhere, for people. */
  readonly besides: readonly string[];
}

/** Undefined where nobody can tell. */
export function meantAddress(text: string, syntax: AddressSyntax): MeantAddress | undefined {
  const words = text
    .replace(/;\s*$/, '')
    .replaceAll(/[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]/g, '')
    .split(/[\s,]+/)
    // A dash begins the next item, where its line is indented too far.
    .filter((word) => word !== '' && word !== '-');
  const mended = words.map((word) => addressIn(word, syntax));
  const addresses = mended.filter((address) => address !== undefined);
  const [first] = addresses;
  if (first === undefined) return undefined;
  if (addresses.length === words.length && addresses.length > 1) return { addresses, keys: [], besides: [] };
  // HAProxy and nginx have at most two words before the address: `server web1`.
  const at = mended.indexOf(first);
  if (at > 2) return undefined;
  const line = words.slice(at + 1).join(' ');
  const asksForTls = /(?:^| )ssl(?: |$)/.test(line) || /^(?:https|wss|tls|ssl):/.test(words[at] ?? '');
  const asksForCheck = /(?:^| )check(?: |$)/.test(line);
  const besides = [asksForTls ? syntax.tls : undefined, asksForCheck ? syntax.check : undefined];
  return { addresses: [first], keys: keysIn(line), besides: besides.filter((one) => one !== undefined) };
}

/** A text, a mapping, or the items of a list. */
export function asYaml({ addresses, keys, besides }: MeantAddress): string {
  const texts = addresses.map(quoted).join(', ');
  const backend = keys.length === 0 ? texts : `{ address: ${[texts, ...keys].join(', ')} }`;
  return [backend, ...besides].join(', and ');
}

/** The address that a word has in it: the word itself where it is one. */
function addressIn(word: string, { isAddress, host }: AddressSyntax): string | undefined {
  const candidates = [word, withoutUrl(word), pathIn(word), serviceIn(word)].filter(
    (one) => one !== undefined,
  );
  return candidates
    .flatMap((one) => [one, withBrackets(one), withHost(one, host), withoutZeros(one)])
    .find((one) => one !== undefined && isAddress(one));
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, ws: 80, h2c: 80, https: 443, wss: 443 };

/** Takes away a URL's scheme, user and path, HAProxy's `ipv4@`, and Docker's `/tcp`. */
function withoutUrl(word: string): string | undefined {
  const [, scheme = '', host] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/|(?:ipv[46]|tcp[46]?)@)?(?:[^@/]*@)?([^/?#@]+)(?:[/?#].*)?$/i.exec(word) ??
    [];
  const port = defaultPorts[scheme.toLowerCase()];
  return host === undefined || port === undefined || /:[0-9]+$/.test(host) ? host : `${host}:${port}`;
}

/** A unix socket as a path alone, or as HAProxy has it. */
function pathIn(word: string): string | undefined {
  const [, path] = /^(?:unix@)?(\/[^/].*)$/.exec(word) ?? [];
  return path === undefined ? undefined : `unix:${path}`;
}

/** The name of SRV records without its prefix, or with a port, which the records have. */
function serviceIn(word: string): string | undefined {
  const [, name] = /^(?:[a-z]+[:+])?(?:\/\/)?(_[^:/]+\._(?:tcp|udp)\.[^:/]+)(?::[0-9]+)?$/i.exec(word) ?? [];
  return name === undefined ? undefined : `srv:${name}`;
}

/** `::1:8080` lacks its brackets, where what is before the last colon is an address. */
function withBrackets(word: string): string | undefined {
  const [, host = '', port] = /^(.*):([0-9]{1,5})$/.exec(word) ?? [];
  return isIPv6(host) ? `[${host}]:${port}` : undefined;
}

/** A port alone, or behind a word for every interface. */
function withHost(word: string, host: string): string | undefined {
  const [, port] = /^(?:(?:\*|0|any|all)?:)?([1-9][0-9]{0,4})$/i.exec(word) ?? [];
  return port === undefined ? undefined : `${host}:${port}`;
}

function withoutZeros(word: string): string {
  return word.replace(/:0+(?=[1-9][0-9]*$)/, ':');
}

/** The words behind an address that are keys of a backend: `weight=5`, `weight 5`, `backup`, `max_conns=100`. */
function keysIn(line: string): readonly string[] {
  const [, weight] = /(?:^| )weight[= ]([0-9]+)/.exec(line) ?? [];
  const [, most] = /(?:^| )max_?conns?[= ]([0-9]+)/.exec(line) ?? [];
  return [
    ...(weight === undefined ? [] : [`weight: ${weight}`]),
    ...(/(?:^| )backup(?: |$)/.test(line) ? ['backup: true'] : []),
    ...(most === undefined ? [] : [`maxConnections: ${most}`]),
  ];
}
