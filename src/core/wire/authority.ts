import { hostName, longestHostName } from './host-name.ts';

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

/** With a colon and five digits. */
export const longestAuthority = longestHostName + 6;
