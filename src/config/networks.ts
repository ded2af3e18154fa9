/** Networks and addresses, as lists of clients are made of. */
import {
  type AddressRange,
  formatNetwork,
  networkOf,
  parseAddressRange,
} from '../core/access/address-range.ts';
import { expected, type Parsed, parsed } from './parsed.ts';

export const expectedNetwork = 'a network or an address such as "10.0.0.0/8", "fe80::/10" or "::1"';

/**
 * Refuses `10.0.0.1/8`, where others pass over the bits behind the prefix: who wrote it may have meant one
 * address, and must not let in sixteen million.
 */
export function parseNetwork(text: string): Parsed<AddressRange> {
  const range = parseAddressRange(text);
  if (range === undefined) return expected(expectedNetwork);
  const network = networkOf(range);
  if (network.words.every((word, index) => word === range.words[index])) return parsed(network);
  return expected(`the network ${formatNetwork(network)} or the address ${text.split('/', 1)[0]}`);
}
