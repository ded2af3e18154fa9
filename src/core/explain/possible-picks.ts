import type { Balance } from '../plan.ts';
import type { BackendExplanation, Outcome } from './explanation.ts';

type Possible = Pick<Extract<Outcome, { readonly kind: 'dial' }>, 'certainty' | 'possible'>;

/**
 * How sure a pick among these candidates is, and what else might have been picked: by chance, or because each
 * worker goes round equals, and thins the turns of a backend that ramps up, by a memory of its own.
 */
export function possiblePicks(
  balance: Balance,
  candidates: readonly BackendExplanation[],
  picked: string,
): Possible {
  switch (balance) {
    case 'first':
    case 'source-hash':
      return { certainty: 'certain', possible: [picked] };
    case 'random':
    case 'power-of-two':
      return anyOf(candidates);
    case 'least-connections':
      return anyOf(leastLoaded(candidates));
    case 'round-robin':
      if (candidates.some(({ rampPercent }) => rampPercent < 100)) return anyOf(candidates);
      return { certainty: candidates.length > 1 ? 'next-turn' : 'certain', possible: [picked] };
  }
}

function anyOf(backends: readonly BackendExplanation[]): Possible {
  return {
    certainty: backends.length > 1 ? 'one-of-several' : 'certain',
    possible: backends.map(({ address }) => address),
  };
}

function leastLoaded(candidates: readonly BackendExplanation[]): readonly BackendExplanation[] {
  const least = candidates.reduce<BackendExplanation | undefined>(
    (best, one) => (best === undefined || isLessLoaded(one, best) ? one : best),
    undefined,
  );
  return candidates.filter((one) => least !== undefined && !isLessLoaded(least, one));
}

/** As the balancer compares them: this session included, in integers. */
function isLessLoaded(one: BackendExplanation, other: BackendExplanation): boolean {
  const share = ({ weight, rampPercent }: BackendExplanation) => weight * rampPercent;
  return (one.active + 1) * share(other) < (other.active + 1) * share(one);
}
