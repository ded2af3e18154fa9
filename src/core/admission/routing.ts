/** Takes the pool of the route that matches, or the listener's own where none does. */
import type { Endpoint } from '../net/endpoint.ts';
import type { PoolSlot } from '../plan.ts';
import type { Router } from '../router.ts';
import { type ObservedFacts, settled } from '../wire/sniffer.ts';
import { type Gate, refusal } from './gate.ts';
import type { ListenerState, PendingClient } from './pending-client.ts';

export const routing: Gate = {
  appliesTo: () => true,
  enter(client) {
    const { route, listener } = client;
    client.pool = route === undefined ? listener.plan.pool : route.nextPool();
    return client.pool === undefined ? refusal('no-route', noRoute(client)) : 'passes';
  },
};

/** Names what routes could have matched. */
function noRoute({ sni, alpn, protocol, facts: { httpHost } }: PendingClient): string {
  const seen = Object.entries({ protocol, sni, alpn, host: httpHost }).filter(([, value]) => value);
  const words = seen.map(([name, value]) => `${name} ${value}`).join(', ');
  return `No route matches${words === '' ? '' : ` ${words}`}, and there is no pool`;
}

export function decide(
  { plan, router }: ListenerState,
  client: Endpoint,
  facts: ObservedFacts,
): ReturnType<Router['decide']> {
  if (plan.routes.length === 0) return undefined;
  return router.decide(client.words, facts, plan.policy.inspect.undecided);
}

/** The pool by another plan of the listener, now that all is known of the client that ever will be. */
export function poolBy(listener: ListenerState, client: PendingClient): PoolSlot | undefined {
  const route = decide(listener, client.endpoint, settled(client.facts));
  return typeof route === 'object' ? route.nextPool() : listener.plan.pool;
}
