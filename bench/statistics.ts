/**
 * The few statistics that the bench speaks in. Every figure is a median with its least and greatest value,
 * every comparison a ratio with the range that it had over the rounds: no claim without its spread.
 */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** The median and the range of `values`; undefined where there are none. */
export function spread(values: readonly number[]): Spread | undefined {
  const sorted = Float64Array.from(values).sort();
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const above = sorted[sorted.length >> 1] ?? max;
  const below = sorted[(sorted.length - 1) >> 1] ?? min;
  return { median: (above + below) / 2, min, max, count: sorted.length };
}

/** The values of one subject by round: a round that failed is a hole. */
export type Rounds = ReadonlyMap<number, number>;

/**
 * How many times `ours` is `theirs`: the spread of the ratios taken within each round. Subjects of one round
 * ran within seconds of each other, so that what slowed the machine for both cancels out; comparing the two
 * medians would keep it in. Undefined where no round has both, or where theirs was nothing.
 */
export function ratio(ours: Rounds, theirs: Rounds): Spread | undefined {
  return spread(paired(ours, theirs).flatMap(([our, their]) => (their > 0 ? [our / their] : [])));
}

/** How much more `ours` is than `theirs`: the spread of the differences taken within each round, likewise. */
export function excess(ours: Rounds, theirs: Rounds): Spread | undefined {
  return spread(paired(ours, theirs).map(([our, their]) => our - their));
}

/** Ours and theirs of each round that has both. */
function paired(ours: Rounds, theirs: Rounds): [number, number][] {
  return [...ours].flatMap(([round, our]) => {
    const their = theirs.get(round);
    return their === undefined ? [] : [[our, their] satisfies [number, number]];
  });
}

/**
 * The smallest value that at least `share` of the values don't exceed (nearest rank, no interpolation: a
 * percentile is a latency that somebody had). `sorted` ascends; NaN where it is empty.
 */
export function percentile(sorted: Float64Array, share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}
