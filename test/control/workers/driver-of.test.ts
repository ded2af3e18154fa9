import { describe, expect, it } from 'vitest';
import { driverOf } from '../../../src/control/workers/group-plan.ts';
import type { ListenerPlan } from '../../../src/core/plan.ts';
import type { DriverModule } from '../../../src/drivers/driver.ts';
import { driverModules } from '../../../src/drivers/drivers.ts';
import { listenerPlan, listenerTls } from '../../core/harness.ts';
import { plain, secure, uringWithoutTls as uring } from './tls-plans.ts';

const { portable } = driverModules;
const anyClient = {
  sni: undefined,
  alpn: undefined,
  protocol: undefined,
  httpHost: undefined,
  client: undefined,
};
const pools = [plain, secure];

describe('driverOf', () => {
  const web = listenerPlan();
  const rows: readonly (readonly [string, ListenerPlan, DriverModule])[] = [
    ['a plain listener to a plain pool', web, uring],
    ['a listener without a pool', { ...web, pool: undefined }, uring],
    ['a listener that terminates TLS', listenerPlan({ tls: listenerTls }), portable],
    ['a listener whose pool is dialed over TLS', { ...web, pool: 1 }, portable],
    ['a listener with a route to such a pool', { ...web, routes: [{ when: anyClient, to: 1 }] }, portable],
    ['a listener with a route to a plain pool', { ...web, routes: [{ when: anyClient, to: 0 }] }, uring],
    [
      'a listener with such a pool in a split',
      { ...web, routes: [{ when: anyClient, to: split(0, 1) }] },
      portable,
    ],
    [
      'a listener with a split of plain pools',
      { ...web, routes: [{ when: anyClient, to: split(0, 0) }] },
      uring,
    ],
  ];
  for (const [what, listener, expected] of rows) {
    it(`gives ${what} ${expected.name}, where uring is chosen, and portable where that is`, () => {
      expect(driverOf(listener, { pools }, uring)).toBe(expected);
      expect(driverOf(listener, { pools }, portable)).toBe(portable);
    });
  }
});

function split(...slots: readonly number[]) {
  return { slot: 0, shares: slots.map((pool) => ({ pool, weight: 1 })) };
}
