/** Every way to balance, by the name it has in the configuration. */
import type { Balance } from '../plan.ts';
import type { BalancerMaker } from './balancer.ts';
import { first } from './first.ts';
import { leastConnections } from './least-connections.ts';
import { powerOfTwo } from './power-of-two.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { sourceHash } from './source-hash.ts';

export const balancers: Readonly<Record<Balance, BalancerMaker>> = {
  'round-robin': roundRobin,
  'least-connections': leastConnections,
  random,
  'power-of-two': powerOfTwo,
  'source-hash': sourceHash,
  first,
};
