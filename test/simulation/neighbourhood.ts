/** The few addresses of this world, and networks of them: who is in which is written down by hand. */

import type { AccessPolicy } from '../../src/core/access/access-policy.ts';
import { parseAddressRange } from '../../src/core/access/address-range.ts';
import { type AddressSet, compileAddressSet } from '../../src/core/access/address-set.ts';

/** So few that all of them fit into the ledger's table of clients, on every listener: none is ever forgotten. */
export const addresses = [
  '192.0.2.1',
  '192.0.2.2',
  '198.51.100.7',
  '2001:db8::1',
  '2001:db8::2',
  'unix',
] as const;

const networks: Readonly<Record<string, readonly string[]>> = {
  '192.0.2.1': ['192.0.2.1'],
  '192.0.2.0/30': ['192.0.2.1', '192.0.2.2'],
  '192.0.2.2/31': ['192.0.2.2'],
  '198.51.100.0/24': ['198.51.100.7'],
  '0.0.0.0/0': ['192.0.2.1', '192.0.2.2', '198.51.100.7'],
  '2001:db8::/32': ['2001:db8::1', '2001:db8::2'],
  '::/0': ['2001:db8::1', '2001:db8::2'],
};

const membersOf = new Map<AddressSet, readonly string[]>();

/** Each network by itself, and each two of them together. */
export const addressSets: readonly AddressSet[] = Object.entries(networks).flatMap(([one, members]) =>
  Object.entries(networks).map(([other, others]) => {
    const ranges = [one, other].map(parseAddressRange).filter((range) => range !== undefined);
    const set = compileAddressSet(ranges);
    membersOf.set(set, [...members, ...others]);
    return set;
  }),
);

export function isIn(set: AddressSet, address: string): boolean {
  return membersOf.get(set)?.includes(address) ?? false;
}

/** A client of our own unix socket may always come; of another's, only where nobody has to be allowed. */
export function isWelcome({ allow, deny }: AccessPolicy, address: string, isAnnounced = false): boolean {
  if (address === 'unix') return !isAnnounced || allow === undefined;
  const isAllowed = allow === undefined || isIn(allow, address);
  return isAllowed && !(deny !== undefined && isIn(deny, address));
}
