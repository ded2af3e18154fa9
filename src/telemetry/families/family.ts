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
  /**
   * Calls `sample` for each: with what stands between the braces, and, in a histogram or summary, the end of the name.
   */
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

export const directions = ['to_backend', 'to_client'] as const;

/** Prometheus' text format (version 0.0.4) of one family, in lines that each have their end. */
export function textOf({ name, help, type, read }: Family, scrape: Scrape): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  read(scrape, (labels, value, end = '') => {
    const series = labels === '' ? `${name}${end}` : `${name}${end}{${labels}}`;
    lines.push(`${series} ${numberText(value)}`);
  });
  return `${lines.join('\n')}\n`;
}

/** One sample without labels; none where the value is undefined. */
export function single(value: (scrape: Scrape) => number | undefined): Family['read'] {
  return (scrape, sample) => {
    const found = value(scrape);
    if (found !== undefined) sample('', found);
  };
}

/** Listeners, pools or backends, each with its labels. */
type Labelled<T> = (snapshot: Snapshot) => readonly (T & { readonly labels: string })[];

/** One sample of each. */
export function ofEach<T>(all: Labelled<T>, value: (one: T) => number): Family['read'] {
  return ({ snapshot }, sample) => {
    for (const one of all(snapshot)) sample(one.labels, value(one));
  };
}

/** Of each, one sample for every value of a further label. */
export function ofEachBy<T, V extends string>(
  all: Labelled<T>,
  label: string,
  values: readonly V[],
  read: (one: T, value: V) => number,
): Family['read'] {
  const pairs = values.map((value) => [value, `,${label}="${value}"`] as const);
  return ({ snapshot }, sample) => {
    for (const one of all(snapshot))
      for (const [value, pair] of pairs) sample(one.labels + pair, read(one, value));
  };
}

/** One histogram of each: buckets are cumulative, edges in seconds, as Prometheus wants them. */
export function durationsOf<T>(all: Labelled<T>, read: (one: T) => Durations): Family['read'] {
  return ({ snapshot }, sample) => {
    for (const one of all(snapshot)) {
      const { edgesMs, counts, sumMs } = read(one);
      let count = 0;
      for (const [bucket, inBucket] of counts.entries()) {
        count += inBucket;
        const edgeMs = edgesMs[bucket];
        const edge = edgeMs === undefined ? '+Inf' : edgeMs / 1_000;
        sample(`${one.labels},le="${edge}"`, count, '_bucket');
      }
      sample(one.labels, sumMs / 1_000, '_sum');
      sample(one.labels, count, '_count');
    }
  };
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return String(value);
}
