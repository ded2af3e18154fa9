/** Which backends of a pool could take a client now. */
import { poolAvailability } from '../availability/pool-availability.ts';
import { queuePolicyOf } from '../hold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type PoolPlan, tierOf } from '../plan.ts';
import { type BackendExplanation, limitOf, type PoolExplanation } from './explanation.ts';

export function explainPool(
  plan: PoolPlan,
  ledger: Ledger,
  nowMs: number,
  random: () => number,
): PoolExplanation {
  const { slot, name, policy } = plan;
  const { limits, balance } = policy;
  const queue = queuePolicyOf(plan);
  const availability = poolAvailability(plan, ledger, nowMs, random);
  const serving = availability.backends
    .filter(({ unavailable }) => unavailable === undefined)
    .reduce((lowest, { backend }) => Math.min(lowest, tierOf(backend.plan)), Number.POSITIVE_INFINITY);
  return {
    name,
    balance,
    held: plan.hold?.phase === 'held',
    active: ledger.poolActive.total(slot),
    maxConnections: limitOf(limits.maxConnections),
    queue: {
      waiting: ledger.poolQueued.total(slot),
      size: limitOf(queue.size),
      timeoutMs: limitOf(queue.timeoutMs),
    },
    ignoresHealth: availability.ignoresHealth,
    backends: availability.backends.map(
      ({ backend, unavailable }): BackendExplanation => ({
        address: backend.plan.name,
        weight: backend.plan.weight,
        rampPercent: backend.rampPercent(nowMs),
        backup: backend.plan.backup,
        health: ledger.healthOf(backend.slot),
        circuit: ledger.circuitOf(backend.slot),
        active: backend.active,
        maxConnections: limitOf(backend.plan.maxConnections),
        unavailable: unavailable ?? null,
        candidate: unavailable === undefined && tierOf(backend.plan) === serving,
      }),
    ),
  };
}
