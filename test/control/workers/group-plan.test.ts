import { describe, expect, it } from 'vitest';
import { groupPlan } from '../../../src/control/workers/group-plan.ts';
import type { Plan } from '../../../src/core/plan.ts';
import type { DriverModule } from '../../../src/drivers/driver.ts';
import { driverModules } from '../../../src/drivers/drivers.ts';
import { listenerPlan, listenerTls, planOf } from '../../core/harness.ts';
import { plain, secure, uringWithoutTls as uring } from './tls-plans.ts';

const { portable } = driverModules;

describe('groupPlan', () => {
  const nothing: Plan = { listeners: [], pools: [] };
  const api = { ...listenerPlan({ tls: listenerTls }), slot: 1, name: 'api' };
  const web = listenerPlan();
  const pools = [plain, secure];

  it('gives each driver its own listeners, and those to come', () => {
    const [plan, other] = [planOf(plain, web), { listeners: [web, api], pools }];
    const told = (driver: DriverModule) => groupPlan({ before: nothing, plan, other }, driver, uring);
    expect([told(uring), told(portable)]).toEqual([planOf(plain, web), { listeners: [api], pools }]);
  });

  it('lets those who wait for a pool that turns to TLS have it as it was', () => {
    const before = planOf(plain, web);
    const plan = planOf({ ...secure, slot: plain.slot, name: plain.name }, web);
    expect(groupPlan({ before, plan, other: plan }, uring, uring)).toEqual({ listeners: [], pools: [plain] });
    expect(groupPlan({ before: nothing, plan, other: plan }, portable, uring)).toEqual(plan);
  });

  it('never gives a driver a pool that it could not dial', () => {
    const plan = planOf(secure, { ...web, pool: 1 });
    const before = planOf({ ...plain, slot: 1, name: 'another' });
    expect(groupPlan({ before, plan, other: plan }, uring, uring)).toEqual(nothing);
  });
});
