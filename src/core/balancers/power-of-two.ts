import { anyPick, type BalancerKind } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/**
 * Draws two backends by weight and takes the one with fewer connections per weight: nearly as even as asking
 * all of them (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001), and workers
 * that see the same counts do not all rush to the same backend. The first one drawn wins a tie, so that idle
 * backends are used in proportion to their weights. O(1) expected.
 */
export const powerOfTwo: BalancerKind = {
  make(tier, random) {
    const draw = new WeightedDraw(tier, random);
    const weight = (index: number) => tier.weight(index) * tier.rampPercent(index);

    return {
      pick() {
        const one = draw.next();
        if (one < 0) return -1;
        const other = draw.next(one);
        if (other < 0) return one;
        // Fractions compared in integers: 1e6 sessions times a weight of 1e6 times 100 % is below 2^53.
        return tier.active(other) * weight(one) < tier.active(one) * weight(other) ? other : one;
      },
    };
  },
  possible: anyPick,
  otherNames: ['p2c', 'two', 'random(2)', 'random two', 'two-choices'],
};
