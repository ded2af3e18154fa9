/** Ranges of IP addresses as people write them: `10.0.0.0/8`, `fe80::/10`, or one address. */
import { addressText, addressWords, ipv6Text } from '../addresses.ts';
import type { AddressWords } from '../ledger/client-table.ts';

/** All addresses whose first `prefixLength` bits, of 128, are those of `words`. */
export interface AddressRange {
  readonly words: AddressWords;
  readonly prefixLength: number;
}

/**
 * Reads CIDR notation (RFC 4632, RFC 4291 2.3), or an address by itself. The prefix length of an IPv4 range
 * becomes one of 128 bits: `10.0.0.0/8` is `::ffff:10.0.0.0/104`. Bits behind the prefix are left as they
 * were written. Undefined for anything else, and for an address with a zone: a list can't tell links apart.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = '', length, more] = text.split('/');
  const words = address.includes('%') || more !== undefined ? undefined : addressWords(address);
  if (words === undefined) return undefined;
  const width = address.includes(':') ? 128 : 32;
  const prefixLength = length === undefined ? width : wholeNumber(length);
  if (prefixLength === undefined || prefixLength > width) return undefined;
  return { words, prefixLength: 128 - width + prefixLength };
}

/** The canonical way to write a network; `parseAddressRange` reads it back. */
export function formatNetwork({ words, prefixLength }: AddressRange): string {
  return isIpv4(words) ? `${addressText(words)}/${prefixLength - 96}` : `${ipv6Text(words)}/${prefixLength}`;
}

/** The range with every bit behind its prefix cleared: equal ranges are then written alike. */
export function networkOf({ words, prefixLength }: AddressRange): AddressRange {
  const [a, b, c, d] = words;
  const network = [
    leading(a, prefixLength),
    leading(b, prefixLength - 32),
    leading(c, prefixLength - 64),
    leading(d, prefixLength - 96),
  ] as const;
  return { words: network, prefixLength };
}

/** Whether an address is IPv4, so that it stands at ::ffff:0:0/96. */
export function isIpv4([a, b, c]: AddressWords): boolean {
  return a === 0 && b === 0 && c === 0xffff;
}

/** The first bits of a word, as many as there are; the others are 0. */
function leading(word: number, bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? word : word & (-1 << (32 - bits));
}

function wholeNumber(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : undefined;
}
