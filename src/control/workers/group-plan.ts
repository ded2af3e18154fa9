/**
 * Which driver serves a listener, and what the workers of one driver are told of a plan: the listeners that they serve,
 * and the pools that they can dial.
 */
import type { ListenerPlan, Plan, PoolPlan, PoolSlot } from '../../core/plan.ts';
import type { DriverModule } from '../../drivers/driver.ts';
import { driverModules } from '../../drivers/drivers.ts';

/** Which driver serves a listener of the plan: the chosen one, unless it can't. */
export function driverOf(
  listener: ListenerPlan,
  { pools }: Pick<Plan, 'pools'>,
  chosen: DriverModule,
): DriverModule {
  return refusalOf(listener, { pools }, chosen) === undefined ? chosen : driverModules.portable;
}

/** Why the chosen driver does not serve the listener; undefined where it does. */
export function refusalOf(
  listener: ListenerPlan,
  { pools }: Pick<Plan, 'pools'>,
  chosen: DriverModule,
): string | undefined {
  return chosen.refuses(listener.policy, reachable(listener, pools));
}

export const noPlan: Plan = { listeners: [], pools: [] };

export interface PlanSteps {
  /** What these workers were told last. */
  readonly before: Plan;
  readonly plan: Plan;
  /** What comes next, or was until now: its further listeners and pools are known as well. */
  readonly other: Plan;
}

/** The plan for the workers of `driver`, where `chosen` serves all listeners that it can. */
export function groupPlan(
  { before, plan, other }: PlanSteps,
  driver: DriverModule,
  chosen: DriverModule,
): Plan {
  const own = (whole: Plan): Plan => ({
    listeners: whole.listeners.filter((one) => driverOf(one, whole, chosen) === driver),
    pools: whole.pools.flatMap((pool) => dialable(pool, driver, before) ?? []),
  });
  return union(own(plan), own(other));
}

/** A pool that has turned to TLS stays as it was, for clients that came while its listeners were this driver's. */
function dialable(pool: PoolPlan, driver: DriverModule, before: Plan): PoolPlan | undefined {
  if (driver.refuses({ tls: 'off' }, [pool]) === undefined) return pool;
  return before.pools.find(({ slot, name }) => slot === pool.slot && name === pool.name);
}

/** The one plan with what the other adds. */
function union(plan: Plan, added: Plan): Plan {
  const slots = new Set(plan.listeners.map(({ slot }) => slot));
  const poolSlots = new Set(plan.pools.map(({ slot }) => slot));
  return {
    listeners: [...plan.listeners, ...added.listeners.filter(({ slot }) => !slots.has(slot))],
    pools: [...plan.pools, ...added.pools.filter(({ slot }) => !poolSlots.has(slot))],
  };
}

function reachable({ pool, routes }: ListenerPlan, pools: Plan['pools']): readonly PoolPlan[] {
  const slots = new Set(
    routes.flatMap(({ to }) => (typeof to === 'number' ? [to] : to.shares.map((share) => share.pool))),
  );
  if (pool !== undefined) slots.add(pool);
  const known = poolsBySlot(pools);
  return [...slots].flatMap((slot) => known.get(slot) ?? []);
}

/** Every listener asks for some of them, so the map is made once a plan. */
function poolsBySlot(pools: Plan['pools']): ReadonlyMap<PoolSlot, PoolPlan> {
  const known = bySlot.get(pools);
  if (known !== undefined) return known;
  const made = new Map(pools.map((pool) => [pool.slot, pool]));
  bySlot.set(pools, made);
  return made;
}

const bySlot = new WeakMap<Plan['pools'], ReadonlyMap<PoolSlot, PoolPlan>>();
