/** Which routes match a client by what is known of it, and why the others do not. */
import { formatNetwork } from '../access/address-range.ts';
import { rangesOf } from '../access/address-set.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { ListenerPlan, Plan, PoolSlot, RouteCondition, RoutePlan } from '../plan.ts';
import { Router, type RouteVerdict } from '../router.ts';
import { type Fact, type ObservedFacts, protocolOf, settled, settledWhereFinal } from '../wire/sniffer.ts';
import type { Condition, Destination, RouteExplanation } from './explanation.ts';

/**
 * Each route as the client found it, or as it stands for one that never came to them. `draft` is a ledger on which
 * nothing was decided yet, for turns of splits are taken.
 */
export function explainRoutes(
  { pools }: Plan,
  { routes, policy }: ListenerPlan,
  draft: Ledger,
  client: Endpoint,
  seen: ObservedFacts,
  { cameToRoutes, hasSpoken }: { readonly cameToRoutes: boolean; readonly hasSpoken: boolean },
): readonly RouteExplanation[] {
  const router = new Router(routes, draft);
  const nameOf = namesOf(pools);
  const destinations = routes.map((route, index) => destinationOf(route, router.nextPool(index), nameOf));
  if (!cameToRoutes) return destinations.map((to) => ({ verdict: 'not-reached', to }));
  const facts = policy.inspect.undecided === 'fallback' ? settledWhereFinal(seen) : seen;
  const now = router.explain(client.words, facts);
  // A silent client is routed in the end by having said nothing; one that has begun to speak is not.
  const inTheEnd = hasSpoken ? now : router.explain(client.words, settled(facts));
  const stop = now.findIndex(
    (verdict) => verdict === 'undecided' || (verdict === 'needs-bytes' && hasSpoken),
  );
  const match = inTheEnd.indexOf('matches');
  const last = stop < 0 || (match >= 0 && match < stop) ? match : stop;
  return destinations.map((to, index): RouteExplanation => {
    if (last >= 0 && index > last) return { verdict: 'not-reached', to };
    const verdict = inTheEnd[index] === 'matches' ? 'matches' : now[index];
    return { ...explainVerdict(verdict, routes[index]?.when, facts, client), to };
  });
}

function explainVerdict(
  verdict: RouteVerdict | undefined,
  when: RouteCondition | undefined,
  facts: ObservedFacts,
  client: Endpoint,
): UntargetedRoute {
  if (verdict === undefined || when === undefined) return { verdict: 'not-reached' };
  if (verdict === 'matches') return { verdict };
  if (verdict === 'needs-bytes' || verdict === 'undecided') {
    const asked = (['protocol', 'sni', 'alpn', 'httpHost'] as const).filter((one) => when[one] !== undefined);
    return { verdict, missing: asked.filter((one) => factOf(facts, one) === undefined) };
  }
  return {
    verdict: 'fails',
    condition: verdict,
    wanted: wantedBy(when, verdict),
    seen: verdict === 'client' ? [client.address] : listed(factOf(facts, verdict)),
  };
}

type WithoutTarget<T> = T extends unknown ? Omit<T, 'to'> : never;
type UntargetedRoute = WithoutTarget<RouteExplanation>;

function wantedBy(when: RouteCondition, condition: Condition): readonly string[] {
  if (condition !== 'client') return when[condition] ?? [];
  return when.client === undefined ? [] : rangesOf(when.client).map(formatNetwork);
}

function listed(fact: Fact<string | readonly string[]>): readonly string[] {
  if (fact === undefined || fact === null) return [];
  return typeof fact === 'string' ? [fact] : fact;
}

function factOf(
  facts: ObservedFacts,
  condition: Exclude<Condition, 'client'>,
): Fact<string | readonly string[]> {
  return condition === 'protocol' ? protocolOf(facts) : facts[condition];
}

function namesOf(pools: Plan['pools']): (slot: PoolSlot) => string {
  const names = new Map(pools.map(({ slot, name }) => [slot, name]));
  return (slot) => names.get(slot) ?? '';
}

function destinationOf({ to }: RoutePlan, next: PoolSlot, nameOf: (slot: PoolSlot) => string): Destination {
  if (typeof to === 'number') return { pool: nameOf(to) };
  const split = Object.fromEntries(to.shares.map(({ pool, weight }) => [nameOf(pool), weight]));
  return { split, next: nameOf(next) };
}
