/** Every way to balance, by the name it has in the configuration. */
import type { BalancerKind } from './balancer.ts';
import { first } from './first.ts';
import { leastConnections } from './least-connections.ts';
import { powerOfTwo } from './power-of-two.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { sourceHash } from './source-hash.ts';

export const balancers = {
  'round-robin': roundRobin,
  'least-connections': leastConnections,
  random,
  'power-of-two': powerOfTwo,
  'source-hash': sourceHash,
  first,
} satisfies Readonly<Record<string, BalancerKind>>;

export type Balance = keyof typeof balancers;

/** Their names: a literal's keys are those that its type has, in the order of the text, and there are some. */
export const balances = Object.keys(balancers) as [Balance, ...Balance[]];
