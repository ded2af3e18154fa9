import type { BackendPlan, ListenerPlan, PoolPlan } from '../core/plan.ts';
import { listenerCounts } from '../telemetry/listener-counts.ts';
import type { AdminSource } from './source.ts';

/** The answer to `GET /api/v1/status`. */
export function status(source: AdminSource) {
  const { plan, build, phase } = source;
  return {
    version: build.version,
    driver: build.driver,
    driverReason: build.driverReason,
    draining: phase === 'draining',
    listeners: Object.fromEntries(plan.listeners.map((plan) => [plan.name, listenerStatus(source, plan)])),
    pools: Object.fromEntries(plan.pools.map((plan) => [plan.name, poolStatus(source, plan)])),
  };
}

function listenerStatus(source: AdminSource, plan: ListenerPlan) {
  const { name, slot } = plan;
  const [only, ...others] = source.boundTo(name);
  const { active, accepted } = listenerCounts(source.ledger, slot);
  return {
    bind: others.length === 0 && only !== undefined ? only : source.boundTo(name),
    driver: source.driverOf(plan),
    active,
    total: accepted,
  };
}

function poolStatus(source: AdminSource, pool: PoolPlan) {
  return {
    balance: pool.policy.balance,
    queue: source.ledger.poolQueued.total(pool.slot),
    backends: pool.backends.map((backend) => backendStatus(source, pool, backend)),
  };
}

function backendStatus(source: AdminSource, pool: PoolPlan, backend: BackendPlan) {
  const { ledger } = source;
  return {
    address: backend.name,
    weight: backend.weight,
    backup: backend.backup,
    health: ledger.healthOf(backend.slot),
    circuit: ledger.circuitOf(backend.slot),
    active: ledger.backendActive.total(backend.slot),
    total: ledger.backendTotals(backend.slot).connections,
    unavailable: source.unavailability(pool, backend) ?? null,
  };
}
