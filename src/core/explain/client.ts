/** The client of a dry run, and what let it in or kept it out, in words. */
import { type AccessPolicy, isDenied } from '../access/access-policy.ts';
import { formatNetwork } from '../access/address-range.ts';
import { type AddressSet, rangeAround } from '../access/address-set.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { noAddress } from '../limits.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { ListenerPlan } from '../plan.ts';
import type { DescribedClient } from './described-client.ts';
import type { DryRun } from './dry-run.ts';
import {
  type AccessVerdict,
  type Explanation,
  type Inquiry,
  limitOf,
  type ProxyHeaderVerdict,
} from './explanation.ts';

export function explainClient(
  listener: ListenerPlan,
  ledger: Ledger,
  inquiry: Inquiry,
  described: DescribedClient,
  { session, askedForHeader, refusal }: DryRun,
): Pick<Explanation, 'client' | 'proxyHeader' | 'access'> {
  const { policy } = listener;
  const { client } = session;
  const isAnnounced = session.learned?.announced !== undefined;
  const isBelieved = described.header !== undefined;
  const isJudged = !isBelieved || (askedForHeader && refusal !== 'bad-proxy-header');
  return {
    client: {
      address: client.address,
      announcedBy: isAnnounced ? inquiry.client.address : null,
      ...usageOf(listener, ledger, client),
    },
    proxyHeader:
      policy.proxyProtocol === 'off'
        ? 'off'
        : !isBelieved
          ? 'not-believed'
          : headerVerdict(inquiry, described, askedForHeader),
    access: isJudged ? accessOf(policy.access, client, isAnnounced) : 'not-reached',
  };
}

function headerVerdict(
  { bytes }: Inquiry,
  { header }: DescribedClient,
  wasRead: boolean,
): ProxyHeaderVerdict {
  if (!wasRead || header === undefined) return 'not-reached';
  switch (header.state) {
    case 'complete':
      return header.header.source === 'proxied' ? 'announces' : 'own';
    case 'incomplete':
      return bytes !== undefined && bytes.length > 0 ? 'incomplete' : 'absent';
    case 'mismatch':
      return 'absent';
    case 'broken':
      return 'broken';
  }
}

/** Connections of this client, where the listener counts them; before it is let in. */
function usageOf({ slot, policy }: ListenerPlan, ledger: Ledger, client: Endpoint) {
  const { maxConnections, ipv6Prefix } = policy.limits.perClient;
  if (maxConnections === Number.POSITIVE_INFINITY) return {};
  const place = ledger.clients.find(slot, client.network(ipv6Prefix).words ?? noAddress);
  const active = place === undefined ? 0 : ledger.clients.active.total(place);
  return { active, maxConnections: limitOf(maxConnections) };
}

/** What the lists say of a client, and which entry of theirs. */
function accessOf(policy: AccessPolicy, client: Endpoint, isAnnounced: boolean): AccessVerdict {
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
