/** IP addresses as numbers, so that they can be keys and be compared however they were written. */
import type { AddressWords } from './ledger/client-table.ts';

export type { AddressWords } from './ledger/client-table.ts';

/**
 * The 128 bits of an IPv6 address as four signed 32-bit words, most significant first; an IPv4 address
 * stands at ::ffff:0:0/96 (RFC 4291, 2.5.5.2). Takes every text form of RFC 4291, 2.2, and IPv4 as four
 * decimal parts without leading zeros. A zone (`fe80::1%eth0`) is passed over. Undefined for anything else.
 */
export function addressWords(text: string): AddressWords | undefined {
  if (text.includes(':')) return ipv6Words(text);
  const word = ipv4Word(text, 0, text.length);
  return word === undefined ? undefined : [0, 0, 0xffff, word];
}

/** The canonical text (RFC 5952) of an address; one at ::ffff:0:0/96 is written as IPv4. */
export function addressText(words: AddressWords): string {
  return isIpv4(words) ? ipv4Text(words[3]) : ipv6Text(words);
}

/** As `addressText`, but an IPv4 address is written as what it is among those of IPv6: `::ffff:192.0.2.1`. */
export function ipv6Text(words: AddressWords): string {
  if (isIpv4(words)) return `::ffff:${ipv4Text(words[3])}`;
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, length } = longestZeros(groups);
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  // A single zero is not shortened.
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** Whether an address is IPv4, so that it stands at ::ffff:0:0/96. */
export function isIpv4([first, second, third]: AddressWords): boolean {
  return first === 0 && second === 0 && third === 0xffff;
}

/**
 * The network of so many first bits that an IPv6 address is in. An IPv4 address is a network of its own, also behind
 * the well-known prefix of translators (64:ff9b::/96, RFC 6052); so is a link-local one, since a whole link shares
 * their prefix.
 */
export function networkWords(words: AddressWords, prefix: number): AddressWords {
  const [a, b, c] = words;
  const isTranslated = a === 0x0064_ff9b && b === 0 && c === 0;
  if (isIpv4(words) || isTranslated || (a & 0xffc0_0000) === linkLocal) return words;
  return maskedWords(words, prefix);
}

/** The address with every bit behind the first ones cleared. */
export function maskedWords([a, b, c, d]: AddressWords, bits: number): AddressWords {
  return [masked(a, bits), masked(b, bits - 32), masked(c, bits - 64), masked(d, bits - 96)];
}

function masked(word: number, bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? word : word & (-1 << (32 - bits));
}

/** fe80::/10, as a signed word. */
const linkLocal = 0xfe80_0000 | 0;

function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

/** The first of the longest runs. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > longest.length) longest = { start, length: end - start };
  }
  return longest;
}

function ipv4Word(text: string, from: number, to: number): number | undefined {
  let word = 0;
  let parts = 0;
  let part = 0;
  let digits = 0;
  for (let at = from; at <= to; at++) {
    // The end closes a part as a dot does.
    if (at === to || text[at] === '.') {
      if (digits === 0) return undefined;
      word = (word << 8) | part;
      parts++;
      part = 0;
      digits = 0;
      continue;
    }
    const digit = hexDigit(text.charCodeAt(at));
    const leadingZero = digits > 0 && part === 0;
    if (digit < 0 || digit > 9 || leadingZero) return undefined;
    part = part * 10 + digit;
    digits++;
    if (part > 255) return undefined;
  }
  return parts === 4 ? word : undefined;
}

function ipv6Words(text: string): AddressWords | undefined {
  const zone = text.indexOf('%');
  if (zone >= 0 && (zone === text.length - 1 || text.includes('%', zone + 1))) return undefined;
  const end = zone < 0 ? text.length : zone;
  const groups: number[] = [];
  /** How many groups stand before `::`. */
  let gap = -1;
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < end) {
    const start = at;
    let group = 0;
    for (let digit = hexDigit(text.charCodeAt(at)); at < end && digit >= 0; ) {
      group = group * 16 + digit;
      digit = hexDigit(text.charCodeAt(++at));
    }
    if (at < end && text[at] === '.') {
      const word = ipv4Word(text, start, end);
      if (word === undefined) return undefined;
      groups.push(word >>> 16, word & 0xffff);
      break;
    }
    if (at === start || at - start > 4) return undefined;
    groups.push(group);
    if (at === end) break;
    if (text[at] !== ':' || ++at === end) return undefined;
    if (text[at] === ':') {
      if (gap >= 0) return undefined;
      gap = groups.length;
      at++;
    }
  }
  return wordsOf(groups, gap);
}

/** Puts zeros where the gap is; without one there must be eight groups, and a gap stands for one at least. */
function wordsOf(groups: number[], gap: number): AddressWords | undefined {
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return undefined;
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(8 - groups.length).fill(0));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  return [(a << 16) | b, (c << 16) | d, (e << 16) | f, (g << 16) | h];
}

/** The value of a hexadecimal digit, or -1 for any other character. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
