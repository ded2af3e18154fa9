/** Every way to balance, by the name it has in the configuration: how it picks, and what it may pick. */
import type { Balance } from '../plan.ts';
import { anyPick, type BalancerMaker, certainPick, type PossiblePicks } from './balancer.ts';
import { first } from './first.ts';
import { leastConnections, leastLoadedPicks } from './least-connections.ts';
import { powerOfTwo } from './power-of-two.ts';
import { random } from './random.ts';
import { roundRobin, turnPicks } from './round-robin.ts';
import { sourceHash } from './source-hash.ts';

export const balancers: Readonly<
  Record<Balance, { readonly make: BalancerMaker; readonly possible: PossiblePicks }>
> = {
  'round-robin': { make: roundRobin, possible: turnPicks },
  'least-connections': { make: leastConnections, possible: leastLoadedPicks },
  random: { make: random, possible: anyPick },
  'power-of-two': { make: powerOfTwo, possible: anyPick },
  'source-hash': { make: sourceHash, possible: certainPick },
  first: { make: first, possible: certainPick },
};
