/** Addresses that cannot be listened on at the same time. */
import type { Address } from '../core/contract.ts';
import { formatAddress } from './addresses.ts';
import type { LocatedAddress } from './options/bind.ts';

/** Reports each address that clashes with an earlier one. */
export function checkBindClashes(binds: readonly LocatedAddress[]): void {
  const taken = new Map<string, LocatedAddress[]>();
  for (const located of binds) {
    const { address, location } = located;
    const key = portOrPath(address);
    if (key === undefined) continue;
    const earlier = taken.get(key) ?? [];
    const clash = earlier.find((other) => clashes(other.address, address));
    if (clash === undefined) {
      taken.set(key, [...earlier.slice(-mostCompared), located]);
    } else {
      const what = clash.location.described(formatAddress(clash.address));
      location.expected(`an address that is free beside ${what} at line ${clash.location.line}`);
    }
  }
}

/** Whether the two addresses cannot be listened on at once, unless they share the port. */
export function exclude(one: Address, other: Address): boolean {
  const key = portOrPath(one);
  return key !== undefined && key === portOrPath(other) && clashes(one, other);
}

/** Only addresses with the same port, or the same path, can clash; port 0 never does. */
function portOrPath(address: Address): string | undefined {
  if ('path' in address) return address.path;
  return address.port === 0 ? undefined : String(address.port);
}

/** A file with thousands of addresses on one port is compared with the latest of them only. */
const mostCompared = 1000;

/** `::` takes both families, `0.0.0.0` all of IPv4. */
function clashes(one: Address, other: Address): boolean {
  if ('path' in one || 'path' in other) return true;
  const hosts = [one.host, other.host];
  if (one.host === other.host || hosts.includes('::')) return true;
  return hosts.includes('0.0.0.0') && !hosts.some((host) => host.includes(':'));
}
