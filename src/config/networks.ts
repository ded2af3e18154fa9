/** Networks and addresses in lists of clients. */
import {
  type AddressRange,
  formatNetwork,
  networkOf,
  parseAddressRange,
} from '../core/access/address-range.ts';
import { expected, type Parsed, parsed } from './parsed.ts';

export const expectedNetwork = 'a network or an address such as "10.0.0.0/8", "fe80::/10" or "::1"';

/**
 * Refuses `10.0.0.1/8`, whose last bits others ignore: the operator may have meant one address, and must not let in
 * sixteen million.
 */
export function parseNetwork(text: string): Parsed<AddressRange> {
  const range = parseAddressRange(text);
  if (range === undefined) return expected(expectedNetwork);
  const network = networkOf(range);
  if (network.words.every((word, index) => word === range.words[index])) return parsed(network);
  return expected(`the network ${formatNetwork(network)} or the address ${text.split('/', 1)[0]}`);
}
