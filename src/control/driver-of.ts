import type { ListenerPlan, Plan, PoolSlot } from '../core/plan.ts';
import type { DriverModule } from '../drivers/driver.ts';
import { driverModules } from '../drivers/drivers.ts';

/** Which driver serves a listener of the plan: the chosen one, unless it would have to speak TLS and does not. */
export function driverOf(
  { policy, pool, routes }: ListenerPlan,
  { pools }: Pick<Plan, 'pools'>,
  chosen: DriverModule,
): DriverModule {
  if (chosen.speaksTls) return chosen;
  const dialed = tlsPoolsIn(pools);
  const dialsTls =
    (pool !== undefined && dialed.has(pool)) ||
    routes.some(({ to }) =>
      typeof to === 'number' ? dialed.has(to) : to.shares.some((share) => dialed.has(share.pool)),
    );
  return policy.tls !== 'off' || dialsTls ? driverModules.portable : chosen;
}

/** Every listener asks for them, so they are looked for once a plan. */
function tlsPoolsIn(pools: Plan['pools']): ReadonlySet<PoolSlot> {
  const known = tlsPools.get(pools);
  if (known !== undefined) return known;
  const found = new Set(pools.flatMap(({ slot, policy }) => (policy.connect.tls === 'off' ? [] : slot)));
  tlsPools.set(pools, found);
  return found;
}

const tlsPools = new WeakMap<Plan['pools'], ReadonlySet<PoolSlot>>();
