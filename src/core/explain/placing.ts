/** Which backends of a pool could take a client, and which one would. */
import { standingOf } from '../availability/standing.ts';
import { balancers } from '../balancers/table.ts';
import { Lease } from '../lease.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { PoolPlan } from '../plan.ts';
import { Pool } from '../pool.ts';
import { type BackendExplanation, limitOf, type Outcome, type PoolExplanation } from './explanation.ts';

export interface Surroundings {
  /** One that nobody else has, for a lease is taken. */
  readonly ledger: Ledger;
  /** By what `source-hash` knows the client. */
  readonly source: Endpoint;
  readonly nowMs: number;
  readonly random: () => number;
}

export interface Placing {
  readonly pool: PoolExplanation;
  readonly outcome: Exclude<Outcome, { readonly kind: 'refuse' }> | 'no-backend' | 'pool-full' | 'queue-full';
}

export function place(plan: PoolPlan, around: Surroundings): Placing {
  const pool = explainPool(plan, around);
  const { queue } = plan.policy.limits;
  const placed = new Pool(plan, around.ledger, around.random).place(around.source, [], around.nowMs);
  if (placed === 'no-backend') return { pool, outcome: placed };
  const ahead = pool.queue.waiting;
  // Nobody overtakes those who wait already.
  if (ahead === 0 && placed instanceof Lease) {
    const { name } = placed.backend;
    const candidates = pool.backends.filter(({ candidate }) => candidate);
    const possible = balancers[plan.policy.balance].possible(candidates, name);
    return { pool, outcome: { kind: 'dial', backend: name, ...possible } };
  }
  if (ahead === 0 && queue.size === 0) return { pool, outcome: 'pool-full' };
  if (ahead >= queue.size) return { pool, outcome: 'queue-full' };
  return { pool, outcome: { kind: 'queue', ahead, timeoutMs: limitOf(queue.timeoutMs) } };
}

function explainPool(plan: PoolPlan, { ledger, nowMs, random }: Surroundings): PoolExplanation {
  const { slot, name, policy } = plan;
  const { limits, balance } = policy;
  const standing = standingOf(plan, ledger, nowMs, random);
  const serving = standing.backends
    .filter(({ unavailable }) => unavailable === undefined)
    .reduce((lowest, { tier }) => Math.min(lowest, tier), Number.POSITIVE_INFINITY);
  return {
    name,
    balance,
    active: ledger.poolActive.total(slot),
    maxConnections: limitOf(limits.maxConnections),
    queue: {
      waiting: ledger.poolQueued.total(slot),
      size: limitOf(limits.queue.size),
      timeoutMs: limitOf(limits.queue.timeoutMs),
    },
    ignoresHealth: standing.ignoresHealth,
    backends: standing.backends.map(
      ({ backend, backup, tier, unavailable }): BackendExplanation => ({
        address: backend.name,
        weight: backend.weight,
        rampPercent: backend.rampPercent(nowMs),
        backup,
        health: ledger.healthOf(backend.slot),
        circuit: ledger.circuitOf(backend.slot),
        active: backend.active,
        maxConnections: limitOf(backend.maxConnections),
        unavailable: unavailable ?? null,
        candidate: unavailable === undefined && tier === serving,
      }),
    ),
  };
}
