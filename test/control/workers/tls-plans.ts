/** A pool that wants TLS, and one that does not. */
import type { PoolPlan } from '../../../src/core/plan.ts';
import { poolPlan, poolPolicy } from '../../core/harness.ts';

const dialledByTls = { servername: undefined, ca: undefined, verify: true, cert: undefined, key: undefined };
export const plain: PoolPlan = { ...poolPlan(1), slot: 0, name: 'plain' };
export const secure: PoolPlan = {
  ...poolPlan(1, { connect: { ...poolPolicy.connect, tls: dialledByTls } }),
  slot: 1,
  name: 'secure',
};
