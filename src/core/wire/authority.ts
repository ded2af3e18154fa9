import { addressWords } from '../addresses.ts';
import { isDigit, text } from './ascii.ts';
import { hostName } from './host-name.ts';

/**
 * The host of `host[:port]` (RFC 3986, 3.2) in lower case: a name, an IPv4 address or, in its brackets, an IPv6
 * address. Undefined where a server might read another host than we do: user information, an escape, an empty
 * host, a port that is no number.
 */
export function authorityHost(bytes: Uint8Array, from: number, to: number): string | undefined {
  const isBracketed = bytes[from] === openBracket;
  let end = from;
  while (end < to && bytes[end] !== (isBracketed ? closeBracket : colon)) end++;
  if (!isBracketed) return isPort(bytes, end, to) ? hostName(bytes, from, end) : undefined;
  const address = text(bytes, from + 1, end).toLowerCase();
  const isAddress = /^[0-9a-f:.]+$/.test(address) && address.includes(':') && addressWords(address);
  return isAddress && end < to && isPort(bytes, end + 1, to) ? `[${address}]` : undefined;
}

/** Nothing, or a colon and at most five digits; RFC 3986 permits none of them too. */
function isPort(bytes: Uint8Array, from: number, to: number): boolean {
  if (from === to) return true;
  if (bytes[from] !== colon || to - from > 6) return false;
  for (let at = from + 1; at < to; at++) if (!isDigit(bytes[at] ?? 0)) return false;
  return true;
}

const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
