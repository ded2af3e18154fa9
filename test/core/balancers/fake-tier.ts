import type { BalancerKind, Tier } from '../../../src/core/balancers/balancer.ts';
import { seeded } from '../../support/seeded.ts';

/** What a test says of one backend; it may change it between picks. */
export interface FakeBackend {
  readonly name: string;
  readonly weight: number;
  admits: boolean;
  active: number;
  rampPercent: number;
}

export interface FakeTier extends Tier {
  readonly backends: readonly FakeBackend[];
  /** How often `admits` was asked. */
  readonly asked: number;
}

/** Backends a, b, c … of these weights, idle and willing. */
export function tierOf(...weights: readonly number[]): FakeTier {
  return tierFrom(weights.map((weight, index) => ({ name: nameOf(index), weight })));
}

export function tierFrom(
  given: readonly (Partial<FakeBackend> & Pick<FakeBackend, 'name' | 'weight'>)[],
): FakeTier {
  const backends = given.map((backend) => ({ admits: true, active: 0, rampPercent: 100, ...backend }));
  const at = (index: number): FakeBackend => {
    const backend = backends[index];
    if (backend === undefined) throw new RangeError(`No backend ${index} in a tier of ${backends.length}`);
    return backend;
  };
  let asked = 0;
  let turns = 0;
  return {
    backends,
    get asked() {
      return asked;
    },
    size: backends.length,
    weight: (index) => at(index).weight,
    name: (index) => at(index).name,
    admits(index) {
      asked++;
      return at(index).admits;
    },
    active: (index) => at(index).active,
    nextTurn: () => turns++,
    rampPercent: (index) => at(index).rampPercent,
  };
}

/** Picks of a tier by a balancer, for one client. */
export function picksOf(kind: BalancerKind, seed: number): (tier: FakeTier) => () => number {
  return (tier) => {
    const balancer = kind.make(tier, seeded(seed));
    return () => balancer.pick({ address: '10.0.0.1' });
  };
}

/** How often each of the tier was picked in so many picks; -1 counts for nobody. */
export function tally(size: number, picks: number, pick: () => number): number[] {
  const counts = new Array<number>(size).fill(0);
  for (let done = 0; done < picks; done++) {
    const index = pick();
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

/** Picks as letters, `-` for none: `a a b a c a a`. */
export function letters(picks: number, pick: () => number): string {
  return Array.from({ length: picks }, () => {
    const index = pick();
    return index < 0 ? '-' : nameOf(index);
  }).join(' ');
}

function nameOf(index: number): string {
  return index < 26 ? String.fromCharCode(97 + index) : `b${index}`;
}
