/**
 * Smooth weighted round robin in O(1) expected. The turns of a backend that is not admitted are skipped, so that over a
 * period its share falls to the others in proportion to their weights.
 */
import {
  anyPick,
  type Balancer,
  type BalancerKind,
  type Candidate,
  type Possible,
  type Tier,
} from './balancer.ts';
import { SmoothOrder } from './smooth-order.ts';
import { TurnSequence } from './turn-sequence.ts';

export const roundRobin: BalancerKind = {
  make: (tier) => new RoundRobin(tier),
  possible: turnPicks,
  otherNames: ['rr', 'wrr', 'static-rr', 'weighted'],
};

/** How many turns in a row may be skipped before every backend is asked instead. */
const maxSkipped = 64;

class RoundRobin implements Balancer {
  readonly #tier: Tier;
  readonly #turns: TurnSequence;
  /** Where the admitted have few of the turns: the same order among them alone. */
  readonly #admittedOrder: SmoothOrder;
  /** What each recovered backend has saved up of its turns, in percent of one. */
  readonly #saved: Float64Array;

  constructor(tier: Tier) {
    this.#tier = tier;
    const weights = Array.from({ length: tier.size }, (_, index) => tier.weight(index));
    this.#turns = new TurnSequence(weights, () => tier.nextTurn());
    this.#admittedOrder = new SmoothOrder(tier.size, (index) =>
      tier.weight(index) > 0 && tier.admits(index) ? tier.weight(index) * tier.rampPercent(index) : 0,
    );
    this.#saved = new Float64Array(tier.size);
  }

  pick(): number {
    for (let skipped = 0; skipped < maxSkipped; skipped++) {
      const index = this.#turns.next();
      if (index < 0) return -1;
      if (this.#tier.admits(index) && this.#rampLets(index)) return index;
    }
    return this.#admittedOrder.next();
  }

  /** Slow start: at 10 % a backend takes every tenth of its turns. */
  #rampLets(index: number): boolean {
    const percent = this.#tier.rampPercent(index);
    if (percent >= 100) return true;
    const saved = (this.#saved[index] ?? 0) + percent;
    this.#saved[index] = saved % 100;
    return saved >= 100;
  }
}

/** Each worker thins the turns of a backend that ramps up by a memory of its own. */
function turnPicks(candidates: readonly Candidate[], picked: string): Possible {
  if (candidates.some(({ rampPercent }) => rampPercent < 100)) return anyPick(candidates, picked);
  return { certainty: candidates.length > 1 ? 'next-turn' : 'certain', possible: [picked] };
}
