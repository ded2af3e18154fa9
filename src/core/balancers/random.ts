import { anyPick, type BalancerKind } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Picks by chance, each in proportion to its weight. O(1) expected. */
export const random: BalancerKind = {
  make(tier, random) {
    const draw = new WeightedDraw(tier, random);
    return { pick: () => draw.next() };
  },
  possible: anyPick,
  otherNames: ['rand', 'random(1)'],
};
