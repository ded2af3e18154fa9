import { anyPick, type BalancerKind, type Candidate, type Possible } from './balancer.ts';

/**
 * Picks the backend whose connections, this one included, are fewest for its weight: the smallest
 * (active + 1) / weight. Among equals it goes round, so that idle backends are used in turn and the order in
 * the file favours nobody. O(n); `admits` is asked only of a backend that would win.
 */
export const leastConnections: BalancerKind = {
  make(tier) {
    const weights = Float64Array.from({ length: tier.size }, (_, index) => tier.weight(index));
    let start = 0;

    return {
      pick() {
        const size = weights.length;
        let best = -1;
        let bestLoad = 1;
        // Weight times ramp percent; 0 while nobody is chosen, which any weight beats.
        let bestWeight = 0;
        for (let step = 0; step < size; step++) {
          const index = start + step < size ? start + step : start + step - size;
          const weight = weights[index] ?? 0;
          const load = tier.active(index) + 1;
          // load / weight < bestLoad / bestWeight, in integers: 1e6 sessions times 1e6 times 100 % is below 2^53.
          if (load * bestWeight >= bestLoad * weight * 100) continue;
          const ramped = weight * tier.rampPercent(index);
          if (load * bestWeight >= bestLoad * ramped) continue;
          if (!tier.admits(index)) continue;
          best = index;
          bestLoad = load;
          bestWeight = ramped;
        }
        if (best >= 0) start = best + 1 < size ? best + 1 : 0;
        return best;
      },
    };
  },
  possible: leastLoaded,
  otherNames: ['leastconn', 'least_conn', 'least_request', 'least', 'lc', 'wlc'],
};

/** Among equals each worker goes round by a memory of its own. */
function leastLoaded(candidates: readonly Candidate[], picked: string): Possible {
  const least = candidates.reduce<Candidate | undefined>(
    (best, one) => (best === undefined || isLessLoaded(one, best) ? one : best),
    undefined,
  );
  return anyPick(
    candidates.filter((one) => least !== undefined && !isLessLoaded(least, one)),
    picked,
  );
}

/** This session included, in integers. */
function isLessLoaded(one: Candidate, other: Candidate): boolean {
  const share = ({ weight, rampPercent }: Candidate) => weight * rampPercent;
  return (one.active + 1) * share(other) < (other.active + 1) * share(one);
}
