/** A family of metrics as a table row: what it is called, and how its samples are read. */
import type { ControlCounts } from './control-counts.ts';
import type { Durations, Snapshot } from './snapshot.ts';

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  samples(scrape: Scrape): readonly Sample[];
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it is not the family's: a histogram's `_bucket`, `_sum` and `_count`. */
  readonly metricName?: string;
}

type Labels = Readonly<Record<string, string | number>>;

/** What one scrape reads, once, so that families agree with each other. */
export interface Scrape {
  readonly build: Build;
  readonly control: ControlCounts;
  readonly snapshot: Snapshot;
}

export interface Build {
  readonly version: string;
  /** Of Node.js. */
  readonly node: string;
  /** The driver that runs. */
  readonly driver: string;
  /** For people: why that one. */
  readonly driverReason: string;
}

/** One row's samples of a histogram: buckets are cumulative, edges in seconds, as Prometheus wants them. */
export function histogramSamples(
  name: string,
  labels: Labels,
  { edgesMs, counts, sumMs }: Durations,
): readonly Sample[] {
  let count = 0;
  const buckets = counts.map((inBucket, bucket) => {
    count += inBucket;
    const edgeMs = edgesMs[bucket];
    const le = edgeMs === undefined ? '+Inf' : edgeMs / 1_000;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumMs / 1_000 },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
