/** A pool that wants TLS, one that does not, and a driver that refuses it. */
import type { PoolPlan } from '../../../src/core/plan.ts';
import type { DriverModule } from '../../../src/drivers/driver.ts';
import { driverModules } from '../../../src/drivers/drivers.ts';
import { useOfTls } from '../../../src/drivers/uring/module.ts';
import { poolPlan, poolPolicy } from '../../core/harness.ts';

const dialledByTls = { servername: undefined, ca: undefined, verify: true, cert: undefined, key: undefined };
export const plain: PoolPlan = { ...poolPlan(1), slot: 0, name: 'plain' };
export const secure: PoolPlan = {
  ...poolPlan(1, { connect: { ...poolPolicy.connect, tls: dialledByTls } }),
  slot: 1,
  name: 'secure',
};

/** As where this Node's OpenSSL is not to be had. */
export const uringWithoutTls: DriverModule = {
  ...driverModules.uring,
  refuses: ({ tls }, pools) => useOfTls(tls, pools),
};
