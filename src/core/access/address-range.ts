/** Ranges of IP addresses as people write them: `10.0.0.0/8`, `fe80::/10`, or one address. */
import { type AddressWords, addressText, addressWords, ipv6Text, isIpv4, maskedWords } from '../addresses.ts';

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
  return { words: maskedWords(words, prefixLength), prefixLength };
}

function wholeNumber(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : undefined;
}
