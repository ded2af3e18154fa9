import { type AccessPolicy, isDenied } from '../access/access-policy.ts';
import { formatNetwork } from '../access/address-range.ts';
import { type AddressSet, rangeAround } from '../access/address-set.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { AccessVerdict } from './explanation.ts';

/** What the lists say of a client, and which entry of theirs. */
export function accessOf(policy: AccessPolicy, client: Endpoint, isAnnounced: boolean): AccessVerdict {
  const { allow, deny } = policy;
  const verdict = isDenied(policy, client, isAnnounced) ? 'denied' : 'allowed';
  if ((client.address === 'unix' && !isAnnounced) || (allow === undefined && deny === undefined))
    return { verdict, by: 'no-list', network: null };
  const denying = networkAround(deny, client);
  if (denying !== null) return { verdict, by: 'deny', network: denying };
  if (allow === undefined) return { verdict, by: 'not-denied', network: null };
  const allowing = networkAround(allow, client);
  return { verdict, by: allowing === null ? 'not-listed' : 'allow', network: allowing };
}

function networkAround(set: AddressSet | undefined, { words }: Endpoint): string | null {
  const range = set && words && rangeAround(set, words);
  return range === undefined ? null : formatNetwork(range);
}
