import { type BalancerKind, certainPick } from './balancer.ts';

/** Fills the first backend to its limit, then the next: as few as possible are in use. */
export const first: BalancerKind = {
  make: (tier) => ({
    pick() {
      for (let index = 0; index < tier.size; index++) {
        if (tier.weight(index) > 0 && tier.admits(index)) return index;
      }
      return -1;
    },
  }),
  possible: certainPick,
  otherNames: ['failover', 'priority', 'ordered'],
};
