/**
 * A family of metrics as a table row: what it is called, and how its samples are read. A scrape of a thousand backends
 * has tens of thousands of samples, so that labels are text from the beginning, made once for each listener, pool and
 * backend.
 */
import type { ConfigOrigin } from '../../config/load.ts';
import type { DescriptorUse } from '../../drivers/descriptors.ts';
import type { Observations } from '../observations.ts';
import type { Durations, Snapshot } from '../snapshot.ts';

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  /** Calls `sample` for each: with what stands between the braces, and, in a histogram or summary, the end of the name. */
  read(scrape: Scrape, sample: (labels: string, value: number, end?: HistogramEnd) => void): void;
}

type HistogramEnd = '' | '_bucket' | '_sum' | '_count';

/** What one scrape reads, once, so that families agree with each other. */
export interface Scrape {
  readonly build: Build;
  readonly origin: ConfigOrigin | undefined;
  readonly observations: Observations;
  readonly snapshot: Snapshot;
  /** Log lines that were not written. */
  readonly logLinesLeftOut: number;
  /** Undefined where the system doesn't tell. */
  readonly descriptors: DescriptorUse | undefined;
  /** How late the main thread was at most since the last scrape. */
  readonly mainLagMs: number;
  /** Milliseconds since 1970. */
  readonly wallClockMs: number;
}

export interface Build {
  readonly version: string;
  /** The version of Node.js. */
  readonly node: string;
  /** The driver that runs. */
  readonly driver: string;
  /** For people: why that one. */
  readonly driverReason: string;
}

/** Prometheus' text format (version 0.0.4) of one family, in lines that each have their end. */
export function textOf({ name, help, type, read }: Family, scrape: Scrape): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  read(scrape, (labels, value, end = '') => {
    const series = labels === '' ? `${name}${end}` : `${name}${end}{${labels}}`;
    lines.push(`${series} ${numberText(value)}`);
  });
  return `${lines.join('\n')}\n`;
}

/** A family with one sample that has no labels. */
export function single(
  described: Pick<Family, 'name' | 'help' | 'type'>,
  value: (scrape: Scrape) => number,
): Family {
  return { ...described, read: (scrape, sample) => sample('', value(scrape)) };
}

/** One histogram's samples: buckets are cumulative, edges in seconds, as Prometheus wants them. */
export function sampleDurations(
  labels: string,
  { edgesMs, counts, sumMs }: Durations,
  sample: Parameters<Family['read']>[1],
): void {
  let count = 0;
  for (const [bucket, inBucket] of counts.entries()) {
    count += inBucket;
    const edgeMs = edgesMs[bucket];
    sample(`${labels},le="${edgeMs === undefined ? '+Inf' : edgeMs / 1_000}"`, count, '_bucket');
  }
  sample(labels, sumMs / 1_000, '_sum');
  sample(labels, count, '_count');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return String(value);
}
