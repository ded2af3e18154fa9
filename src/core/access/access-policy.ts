/** Which clients may connect to a listener, by address. */
import type { Endpoint } from '../net/endpoint.ts';
import { type AddressSet, contains } from './address-set.ts';

export interface AccessPolicy {
  /** Where there is one, clients outside it are denied. */
  readonly allow: AddressSet | undefined;
  /** Denied even when allowed. */
  readonly deny: AddressSet | undefined;
}

/**
 * A client of a unix socket of ours has no address, and is never denied: who may open the socket is up to the
 * permissions of its file. One that a PROXY header announces came over another's socket, and is in no network: it
 * passes no list of networks to allow.
 */
export function isDenied({ allow, deny }: AccessPolicy, client: Endpoint, isAnnounced = false): boolean {
  if (allow === undefined && deny === undefined) return false;
  const { words } = client;
  if (words === undefined) return isAnnounced && allow !== undefined;
  if (deny !== undefined && contains(deny, words)) return true;
  return allow !== undefined && !contains(allow, words);
}
