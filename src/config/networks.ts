/** Networks and addresses in lists of clients. */
import {
  type AddressRange,
  formatNetwork,
  networkOf,
  parseAddressRange,
} from '../core/access/address-range.ts';
import { type Guess, quoted, textOf } from './guesses.ts';
import { expected, type Parsed, parsed } from './parsed.ts';

export const expectedNetwork = 'a network or an address such as "10.0.0.0/8", "fe80::/10" or "::1"';

/**
 * Refuses `10.0.0.1/8`, whose last bits others ignore: the operator may have meant one address, and must not let in
 * sixteen million.
 */
export function parseNetwork(text: string): Parsed<AddressRange> {
  const range = parseAddressRange(text);
  if (range === undefined) return expected(lengthExpectedIn(text) ?? expectedNetwork);
  const network = networkOf(range);
  if (network.words.every((word, index) => word === range.words[index])) return parsed(network);
  return expected(
    `the network ${formatNetwork(network)} or the address ${text.split('/', 1)[0]}`,
    'a network whose last bits are 0, or an address',
  );
}

/** What is expected of an address whose prefix length is impossible. */
function lengthExpectedIn(text: string): string | undefined {
  const [, address = ''] = /^([^/]*)\/[0-9]+$/.exec(text) ?? [];
  if (parseAddressRange(address) === undefined) return undefined;
  return `a prefix length from 0 to ${address.includes(':') ? 128 : 32}`;
}

/**
 * What was probably meant by a text that is no network: a word for all of them, a netmask, a shortened address, or more
 * than a network, such as a port.
 */
export const meantNetwork: Guess = (found) => {
  const words = textOf(found)
    .replace(/^(?:allow|deny|src|from)[ =]+/, '')
    .replace(/ (?=255\.)/, '/')
    .split(/[\s,;]+/)
    .filter((word) => word !== '');
  const meant = words.slice(0, mostMeant).map((word) => everybody.get(word.toLowerCase()) ?? mended(word));
  return meant.length === 0 || meant.includes(undefined) ? undefined : meant.join(', ');
};

/** Words that other programs have for all addresses. */
const everybody: ReadonlyMap<string, string> = new Map([
  ...['any', 'all', '*', 'everyone', 'world', '0/0', '*.*.*.*'].map(
    (word) => [word, '"0.0.0.0/0", "::/0"'] as const,
  ),
  ['localhost', '"127.0.0.0/8", "::1"'],
]);

const mostMeant = 10;

/** In quotes; undefined for what is not nearly a network, or is one with further bits, which may be an address. */
function mended(word: string): string | undefined {
  const isAmbiguous = parseAddressRange(word) !== undefined && !parseNetwork(word).ok;
  if (isAmbiguous || /^[0-9]+$/.test(word)) return undefined;
  const [address = '', length] = word.split('/', 2);
  const bare = address.replace(/^\[(.*)\](?::[0-9]+)?$/, '$1').replace(/%.*$/, '');
  const [host, shortened] = withFourParts(bare.replace(/^([0-9.]+):[0-9]+$/, '$1'));
  const prefix = length === undefined ? shortened : (prefixOfMask(length) ?? length);
  const range = parseAddressRange(prefix === undefined ? host : `${host}/${prefix}`);
  if (range === undefined) return undefined;
  return quoted(prefix === undefined ? host : formatNetwork(networkOf(range)));
}

/** `10.1.*`, `10.1.` and `10.1` leave parts out, of which each has eight bits. */
function withFourParts(address: string): readonly [host: string, prefix?: number] {
  const [, parts] = /^([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})(?:\.\*)*\.?$/.exec(address) ?? [];
  if (parts === undefined) return [address];
  const given = parts.split('.');
  return [[...given, 0, 0, 0].slice(0, 4).join('.'), 8 * given.length];
}

/** The prefix length of 255.0.0.0, or of 0.255.255.255, which routers write for the same. */
function prefixOfMask(mask: string): number | undefined {
  const [, , , word] = (/^[0-9.]+$/.test(mask) && parseAddressRange(mask)?.words) || [];
  if (word === undefined || !mask.includes('.')) return undefined;
  const ones = Math.clz32(~word);
  const zeros = Math.clz32(word);
  if (word === (ones === 0 ? 0 : -1 << (32 - ones))) return ones;
  return word === (zeros === 32 ? 0 : -1 >>> zeros) ? zeros : undefined;
}
