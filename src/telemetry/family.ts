/** A family of metrics as a table row: what it is called, and how its samples are read. */
import type { BackendSlot, ListenerSlot } from '../core/contract.ts';
import type { ControlCounts } from './control-counts.ts';
import type { ListenerCounts } from './listener-counts.ts';
import type { MetricsSource } from './metrics-source.ts';

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

export type Labels = Readonly<Record<string, string | number>>;

/** What one scrape reads, each listener's counts once, so that families agree with each other. */
export interface Scrape {
  readonly source: MetricsSource;
  readonly control: ControlCounts;
  readonly listeners: readonly ListenerReading[];
  readonly backends: readonly BackendReading[];
}

export interface ListenerReading {
  readonly listener: string;
  readonly slot: ListenerSlot;
  readonly counts: ListenerCounts;
}

export interface BackendReading {
  readonly pool: string;
  readonly backend: string;
  readonly slot: BackendSlot;
}

/** One row's samples of a histogram: buckets are cumulative, edges in seconds, as Prometheus wants them. */
export function histogramSamples(
  name: string,
  labels: Labels,
  edgesMs: readonly number[],
  { counts, sumMs }: { readonly counts: readonly number[]; readonly sumMs: number },
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
