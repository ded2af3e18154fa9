import type { ListenerPlan, Plan, PoolPlan, PoolSlot } from '../core/plan.ts';
import type { DriverModule } from '../drivers/driver.ts';
import { driverModules } from '../drivers/drivers.ts';

/** Which driver serves a listener of the plan: the chosen one, unless it can't. */
export function driverOf(
  listener: ListenerPlan,
  { pools }: Pick<Plan, 'pools'>,
  chosen: DriverModule,
): DriverModule {
  const refusal = chosen.refuses(listener.policy, reachable(listener, pools));
  return refusal === undefined ? chosen : driverModules.portable;
}

function reachable({ pool, routes }: ListenerPlan, pools: Plan['pools']): readonly PoolPlan[] {
  const slots = new Set(
    routes.flatMap(({ to }) => (typeof to === 'number' ? [to] : to.shares.map((share) => share.pool))),
  );
  if (pool !== undefined) slots.add(pool);
  const known = poolsBySlot(pools);
  return [...slots].flatMap((slot) => known.get(slot) ?? []);
}

/** Every listener asks for some of them, so they are sorted once a plan. */
function poolsBySlot(pools: Plan['pools']): ReadonlyMap<PoolSlot, PoolPlan> {
  const known = sorted.get(pools);
  if (known !== undefined) return known;
  const made = new Map(pools.map((pool) => [pool.slot, pool]));
  sorted.set(pools, made);
  return made;
}

const sorted = new WeakMap<Plan['pools'], ReadonlyMap<PoolSlot, PoolPlan>>();
