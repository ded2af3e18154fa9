/** Which route a client takes that says what is known of it, and what becomes of the others. */
import { formatNetwork } from '../access/address-range.ts';
import { rangesOf } from '../access/address-set.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { ListenerPlan, Plan, PoolSlot, RouteCondition, RoutePlan } from '../plan.ts';
import type { Reason } from '../reasons.ts';
import { Router, type RouteVerdict } from '../router.ts';
import { type Fact, type ObservedFacts, protocolOf, settled } from '../wire/sniffer.ts';
import type { Condition, Destination, RouteExplanation, Wait } from './explanation.ts';
import type { Sight } from './seeing.ts';

export interface Routing {
  readonly routes: readonly RouteExplanation[];
  readonly takesFallback: boolean;
  readonly waits: readonly Wait[];
  readonly refusal: Reason | undefined;
  readonly pool: PoolSlot | undefined;
}

/** Takes turns of splits: give it a ledger that nobody else has. */
export function chooseRoute(
  { pools }: Plan,
  { routes, pool, policy }: ListenerPlan,
  ledger: Ledger,
  client: Endpoint,
  { facts: seen, hasSpoken }: Sight,
): Routing {
  const router = new Router(routes, ledger);
  const { words } = client;
  const facts = seen.isFinal && policy.inspect.undecided === 'fallback' ? settled(seen) : seen;
  const now = router.explain(words, facts);
  const stop = now.findIndex(
    (verdict) => verdict === 'matches' || verdict === 'needs-bytes' || verdict === 'undecided',
  );
  const isStuck = now[stop] === 'needs-bytes';
  const isUndecided = now[stop] === 'undecided';
  // Who is silent is routed in the end by having said nothing; who has begun to speak is not.
  const inTheEnd = hasSpoken ? now : router.explain(words, settled(facts));
  const cutAfter = isUndecided || (isStuck && hasSpoken) ? stop : inTheEnd.indexOf('matches');

  const nameOf = namesOf(pools);
  const taken = routes.map((route, index) => destinationOf(route, router.takePool(index), nameOf));
  const explained = taken.map(({ to }, index): RouteExplanation => {
    if (cutAfter >= 0 && index > cutAfter) return { verdict: 'not-reached', to };
    const verdict = inTheEnd[index] === 'matches' ? 'matches' : now[index];
    return { ...explainVerdict(verdict, routes[index]?.when, facts, client), to };
  });
  const waits: readonly Wait[] = isStuck ? [{ for: 'first-bytes', upToMs: policy.inspect.timeoutMs }] : [];
  const undecided = { routes: explained, waits, takesFallback: false, pool: undefined };
  if (isUndecided) return { ...undecided, refusal: 'no-route' };
  if (isStuck && hasSpoken) return { ...undecided, refusal: 'inspect-timeout' };
  if (cutAfter >= 0) return { ...undecided, pool: taken[cutAfter]?.pool, refusal: undefined };
  if (pool === undefined) return { ...undecided, refusal: isStuck ? 'inspect-timeout' : 'no-route' };
  return { ...undecided, takesFallback: true, pool, refusal: undefined };
}

/** As they stand for a client that never came to them. */
export function unreached(
  { pools }: Plan,
  { routes }: ListenerPlan,
  ledger: Ledger,
): readonly RouteExplanation[] {
  const router = new Router(routes, ledger);
  const nameOf = namesOf(pools);
  return routes.map((route, index) => ({
    verdict: 'not-reached',
    to: destinationOf(route, router.takePool(index), nameOf).to,
  }));
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

function destinationOf(
  { to }: RoutePlan,
  next: PoolSlot,
  nameOf: (slot: PoolSlot) => string,
): { readonly to: Destination; readonly pool: PoolSlot } {
  if (typeof to === 'number') return { pool: to, to: { pool: nameOf(to) } };
  const split = Object.fromEntries(to.shares.map(({ pool, weight }) => [nameOf(pool), weight]));
  return { pool: next, to: { split, next: nameOf(next) } };
}
