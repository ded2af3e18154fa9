/**
 * Says what would become of a client without anything happening: each step is taken on a draft of the ledger, by
 * the code that takes it for real clients, and the draft is thrown away.
 */
import { assert } from '../assert.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ListenerPlan, Plan } from '../plan.ts';
import { type ObservedFacts, protocolOf } from '../wire/sniffer.ts';
import { type Entering, enter } from './entering.ts';
import { type Explanation, type Inquiry, limitOf, type Outcome } from './explanation.ts';
import { place } from './placing.ts';
import { chooseRoute, type Routing, unreached } from './routing.ts';
import { type Sight, see } from './seeing.ts';

/** The plan has the listener that is asked about. The ledger is only read; `random` decides as in balancers. */
export function explain(
  plan: Plan,
  ledger: Ledger,
  inquiry: Inquiry,
  nowMs: number,
  random: () => number,
): Explanation {
  const listener = plan.listeners.find(({ name }) => name === inquiry.listener);
  assert(listener !== undefined, 'an inquiry is about a listener of the plan');
  const draft = ledger.draft();
  const usage = {
    active: draft.listenerActive.total(listener.slot),
    maxConnections: limitOf(listener.policy.limits.maxConnections),
  };
  const entering = enter(listener, draft, inquiry, nowMs);
  const sight = see(listener.policy, inquiry, entering.payload);
  const routing = route(plan, listener, draft, entering, sight);
  const poolPlan = plan.pools.find(({ slot }) => slot === routing.pool);
  const source = entering.client.network(listener.policy.limits.perClient.ipv6Prefix);
  const placing = poolPlan && place(poolPlan, { ledger: draft, source, nowMs, random });
  const fallback = plan.pools.find(({ slot }) => slot === listener.pool);
  return {
    listener: { name: listener.name, ...usage },
    ...entering.said,
    tls: listener.policy.tls === 'off' ? 'off' : 'terminated',
    seen: knownOf(sight.facts),
    waits: [...entering.waits, ...(entering.refusal === undefined ? sight.waits : []), ...routing.waits],
    routes: routing.routes,
    fallback: { pool: fallback?.name ?? null, verdict: routing.takesFallback ? 'taken' : 'not-reached' },
    pool: placing?.pool ?? null,
    outcome: outcomeOf(listener, routing.refusal ?? placing?.outcome ?? 'no-backend'),
  };
}

function route(plan: Plan, listener: ListenerPlan, draft: Ledger, entering: Entering, sight: Sight): Routing {
  const refusal = entering.refusal ?? sight.refusal;
  if (refusal === undefined) return chooseRoute(plan, listener, draft, entering.client, sight);
  const routes = unreached(plan, listener, draft);
  return { routes, takesFallback: false, waits: [], refusal, pool: undefined };
}

function outcomeOf(
  { policy }: ListenerPlan,
  end: Outcome | Extract<Outcome, { kind: 'refuse' }>['reason'],
): Outcome {
  return typeof end === 'string' ? { kind: 'refuse', reason: end, with: policy.refuseWith } : end;
}

function knownOf(facts: ObservedFacts): Explanation['seen'] {
  const { sni, alpn, httpHost } = facts;
  const protocol = protocolOf(facts);
  return {
    ...(protocol !== undefined && { protocol }),
    ...(sni !== undefined && { sni }),
    ...(alpn !== undefined && { alpn }),
    ...(httpHost !== undefined && { httpHost }),
  };
}
