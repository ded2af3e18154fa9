import { addressWords, ipv6Text } from '../addresses.ts';

/**
 * The host name as rules compare it: in lower case, without the dot that may end a full name. Letters, digits,
 * `-`, `_` and dots make a name; an IDNA A-label is such a name. An IPv6 address becomes its canonical text in
 * brackets, however it was written. Undefined for any other character, for an empty name or label, and for what is
 * longer than the 255 bytes that a name of the DNS can have (RFC 1035, 3.1).
 */
export function hostName(text: string): string | undefined {
  if (text.length > longestHostName) return undefined;
  if (text.includes(':')) return ipv6Name(text);
  if (!/^[\w-]+(?:\.[\w-]+)*\.?$/.test(text)) return undefined;
  const name = text.toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** Of an address with a zone nobody else could know which one is meant. */
function ipv6Name(text: string): string | undefined {
  const words = text.includes('%') ? undefined : addressWords(text);
  return words && `[${ipv6Text(words)}]`;
}

export const longestHostName = 255;
