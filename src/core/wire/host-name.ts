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

/** An address with a zone is none: nobody else could know which one is meant. */
function ipv6Name(text: string): string | undefined {
  const words = text.includes('%') ? undefined : addressWords(text);
  return words && `[${ipv6Text(words)}]`;
}

const longestHostName = 255;

/**
 * The host of `host[:port]` (RFC 3986, 3.2) in lower case: a name, an IPv4 address or, in its brackets, an IPv6
 * address in its canonical form. Undefined where a server might read another host than we do: user information, an
 * escape, an empty host, a port that is no number. An empty port is none.
 */
export function authorityHost(authority: string): string | undefined {
  if (authority.length > longestAuthority) return undefined;
  const parts = /^(?:\[([\da-f:.]+)\]|([^:]+))(?::\d{0,5})?$/i.exec(authority);
  const address = parts?.[1];
  if (address === undefined) return hostName(parts?.[2] ?? '');
  return address.includes(':') ? hostName(address) : undefined;
}

/** A name, a colon and five digits. */
export const longestAuthority = longestHostName + 6;
