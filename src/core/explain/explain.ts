/**
 * Finds what would become of a client without anything happening: a dry run of a core over a draft of the ledger, which
 * is thrown away. What the core commands is what would happen.
 */
import { assert } from '../assert.ts';
import { balancers } from '../balancers/table.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { Endpoint } from '../net/endpoint.ts';
import type { ListenerPolicy, Plan } from '../plan.ts';
import { type ObservedFacts, protocolOf } from '../wire/sniffer.ts';
import { explainClient } from './client.ts';
import { DescribedClient } from './described-client.ts';
import { type DryRun, dryRun } from './dry-run.ts';
import {
  type Explanation,
  type Inquiry,
  limitOf,
  type Outcome,
  type PoolExplanation,
} from './explanation.ts';
import { explainPool } from './pool.ts';
import { explainRoutes } from './routing.ts';

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
  const peer = Endpoint.parse(inquiry.client.address, inquiry.client.port) ?? Endpoint.unix;
  const described = new DescribedClient(listener, peer, inquiry);
  const dry = dryRun(plan, listener, ledger.draft(), described, peer, nowMs, random);
  const { session, refusal, waits } = dry;
  const { policy } = listener;
  const facts = described.facts(
    policy.inspect.maxBytes,
    policy.tls === 'off' ? undefined : described.settled(policy.tls),
  );
  const poolPlan = plan.pools.find(({ name }) => name === session.poolName);
  const pool = poolPlan === undefined ? null : explainPool(poolPlan, ledger, nowMs, random);
  const cameToRoutes = pool !== null || refusal === 'no-route' || refusal === 'inspect-timeout';
  const fallback = plan.pools.find(({ slot }) => slot === listener.pool);
  const { hasSpoken } = described;
  // Only splits take turns, and a draft is some megabytes to copy.
  const draft = listener.routes.some(({ to }) => typeof to === 'object') ? ledger.draft() : ledger;
  const routes = explainRoutes(plan, listener, draft, session.client, facts, {
    cameToRoutes,
    hasSpoken,
  });
  const takesFallback = pool !== null && !routes.some(({ verdict }) => verdict === 'matches');
  return {
    listener: {
      name: listener.name,
      active: ledger.listenerActive.total(listener.slot),
      maxConnections: limitOf(policy.limits.maxConnections),
    },
    ...explainClient(listener, ledger, inquiry, described, dry),
    tls: policy.tls === 'off' ? 'off' : 'terminated',
    seen: knownOf(facts),
    waits,
    routes,
    fallback: { pool: fallback?.name ?? null, verdict: takesFallback ? 'taken' : 'not-reached' },
    pool,
    outcome: outcomeOf(policy, dry, pool),
  };
}

function outcomeOf(
  { refuseWith }: ListenerPolicy,
  { refusal, session, isDialed }: DryRun,
  pool: PoolExplanation | null,
): Outcome {
  if (refusal !== undefined || pool === null)
    return { kind: 'refuse', reason: refusal ?? 'no-backend', with: refuseWith };
  // It queues behind others that wait, even if for no time at all.
  if (!isDialed || pool.queue.waiting > 0)
    return { kind: 'queue', ahead: pool.queue.waiting, timeoutMs: pool.queue.timeoutMs };
  const backend = session.lastBackend?.plan.name ?? '';
  const candidates = pool.backends.filter(({ candidate }) => candidate);
  return { kind: 'dial', backend, ...balancers[pool.balance].possible(candidates, backend) };
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
