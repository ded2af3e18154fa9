/**
 * A balancer picks one of a tier's backends (all primaries of a pool, or all backups). It knows them by their
 * index in the tier; what changes about them while the tier lives it asks for.
 */
export interface Balancer {
  /**
   * The index of the backend that is to take a session of this client: one that the tier admits and whose
   * weight is not 0. -1 where there is none.
   */
  pick(client: { readonly address: string }): number;
}

export interface Tier {
  readonly size: number;
  /** An integer from 0 to 1,000,000; does not change while the tier lives. */
  weight(index: number): number;
  /** A name that is the same in all workers and over reloads, for hashing; no two are alike. */
  name(index: number): string;
  /**
   * Whether it can take the session that is being placed. Asking changes nothing. The costly question: ask it
   * last.
   */
  admits(index: number): boolean;
  /** Counts the turns that all workers take together: 0, 1, 2 …, each number given once, up to 2^32. */
  nextTurn(): number;
  /** Sessions that hold a lease on it, dialing ones included; at most 1,000,000 or so. */
  active(index: number): number;
  /** 100, or a lower integer above 0 while a recovered backend ramps up: its weight counts for that percentage. */
  rampPercent(index: number): number;
}

/** `random` gives numbers from 0 (inclusive) to 1 (exclusive). */
export type BalancerMaker = (tier: Tier, random: () => number) => Balancer;

/** A way to balance: how it picks, and for people what it may pick. */
export interface BalancerKind {
  readonly make: BalancerMaker;
  readonly possible: PossiblePicks;
  /** What nginx, HAProxy, Envoy, Traefik and IPVS call it, or what comes nearest to it there. */
  readonly otherNames: readonly string[];
}

/** How sure a pick is, and what else might have been picked: for people. */
export type PossiblePicks = (candidates: readonly Candidate[], picked: string) => Possible;

/** A backend that a balancer chooses from. */
export interface Candidate {
  readonly address: string;
  readonly weight: number;
  readonly rampPercent: number;
  readonly active: number;
}

export interface Possible {
  /** `next-turn`: the first client that comes has it. `one-of-several`: any of `possible` may be chosen. */
  readonly certainty: 'certain' | 'next-turn' | 'one-of-several';
  readonly possible: readonly string[];
}

export const certainPick: PossiblePicks = (_, picked) => ({ certainty: 'certain', possible: [picked] });

export const anyPick: PossiblePicks = (candidates) => ({
  certainty: candidates.length > 1 ? 'one-of-several' : 'certain',
  possible: candidates.map(({ address }) => address),
});
