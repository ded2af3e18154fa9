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
  const reachable = new Set<PoolSlot | undefined>([
    pool,
    ...routes.flatMap(({ to }) => (typeof to === 'number' ? [to] : to.shares.map((share) => share.pool))),
  ]);
  const dialsTls = pools.some((one) => reachable.has(one.slot) && one.policy.connect.tls !== 'off');
  return policy.tls !== 'off' || dialsTls ? driverModules.portable : chosen;
}
