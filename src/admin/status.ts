import type { BackendPlan, ListenerPlan, PoolPlan } from '../core/plan.ts';
import type { Unavailability } from '../core/reasons.ts';
import { listenerCounts } from '../telemetry/listener-counts.ts';
import type { AdminSource } from './source.ts';

/** The answer to `GET /api/v1/status`. Its cost grows with what is in it and no faster: probes wait meanwhile. */
export function status(source: AdminSource) {
  const { plan, build, phase } = source;
  const bound = source.bound();
  return {
    version: build.version,
    driver: build.driver,
    driverReason: build.driverReason,
    draining: phase === 'draining',
    listeners: Object.fromEntries(
      plan.listeners.map((plan) => [plan.name, listenerStatus(source, plan, bound.get(plan.name) ?? [])]),
    ),
    pools: Object.fromEntries(plan.pools.map((plan) => [plan.name, poolStatus(source, plan)])),
  };
}

function listenerStatus(source: AdminSource, plan: ListenerPlan, bound: readonly string[]) {
  const [only, ...others] = bound;
  const { active, accepted } = listenerCounts(source.ledger, plan.slot);
  return {
    bind: others.length === 0 && only !== undefined ? only : bound,
    driver: source.driverOf(plan),
    active,
    total: accepted,
  };
}

function poolStatus(source: AdminSource, pool: PoolPlan) {
  const unavailable = source.unavailabilities(pool);
  return {
    balance: pool.policy.balance,
    queue: source.ledger.poolQueued.total(pool.slot),
    backends: pool.backends.map((backend, index) => backendStatus(source, backend, unavailable[index])),
  };
}

function backendStatus(
  { ledger }: AdminSource,
  backend: BackendPlan,
  unavailable: Unavailability | undefined,
) {
  return {
    address: backend.name,
    weight: backend.weight,
    backup: backend.backup,
    health: ledger.healthOf(backend.slot),
    circuit: ledger.circuitOf(backend.slot),
    active: ledger.backendActive.total(backend.slot),
    total: ledger.backendTotals(backend.slot).connections,
    unavailable: unavailable ?? null,
  };
}
