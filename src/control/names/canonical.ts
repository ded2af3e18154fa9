import { isIPv6 } from 'node:net';

/**
 * The one text of an IP address (RFC 5952), so that the same address is never two backends. An IPv4-mapped
 * IPv6 address is written as IPv4.
 */
export function canonicalAddress(text: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  // A zone (fe80::1%eth0) is no part of a URL; such an address is left as the system wrote it.
  return isIPv6(text) && !text.includes('%') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}
