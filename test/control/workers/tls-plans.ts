/** Parts of plans that want TLS, and one that does not. */
import type { ListenerTls, PoolPlan } from '../../../src/core/plan.ts';
import { poolPlan, poolPolicy } from '../../core/harness.ts';

export const tls: ListenerTls = {
  certificates: [],
  minVersion: 'TLSv1.2',
  alpn: [],
  clientAuth: 'off',
  clientCa: undefined,
  handshakeTimeoutMs: 5_000,
};
const dialledByTls = { servername: undefined, ca: undefined, verify: true, cert: undefined, key: undefined };
export const plain: PoolPlan = { ...poolPlan(1), slot: 0, name: 'plain' };
export const secure: PoolPlan = {
  ...poolPlan(1, { connect: { ...poolPolicy.connect, tls: dialledByTls } }),
  slot: 1,
  name: 'secure',
};
