/**
 * The metrics of the contract. Their values are read from the ledger when somebody asks, for what is in
 * the plan by then: nothing is pushed, and what a reload removed is gone with the next scrape.
 */
import type { Registry } from 'prom-client';
import type { ConfigOrigin } from '../config/load.ts';
import { descriptorUse } from '../drivers/descriptors.ts';
import { families } from './families/families.ts';
import { type Build, type Scrape, textOf } from './families/family.ts';
import { LoopLag } from './loop-lag.ts';
import type { Observations } from './observations.ts';
import type { Snapshot } from './snapshot.ts';

/** What metrics are made of; read anew each time, for a reload brings a new plan. */
export interface MetricsSource {
  readonly build: Build;
  readonly observations: Observations;
  readonly view: {
    snapshot(): Snapshot;
    /** Has workers show how late they are, for the next snapshot. */
    probeLag(): void;
  };
  /** Where the configuration that runs was read from; undefined where it is in no file. */
  origin(): ConfigOrigin | undefined;
  /** Log lines that were not written. */
  logLinesLeftOut(): number;
}

/**
 * Gauges of Node that mislead: `_total` is the name of a counter, to which Prometheus' own linter objects, and of the
 * event loop the time between two looks is told, which is a second here.
 */
const misleading = [
  ...['resources', 'handles', 'requests'].map((what) => `nodejs_active_${what}_total`),
  ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
    (what) => `nodejs_eventloop_lag_${what}_seconds`,
  ),
];

export class Metrics {
  /** The media type of the text format. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #source: MetricsSource;
  readonly #wallClockMs: () => number;
  readonly #loopLag = new LoopLag();
  /** The metrics of the process and of Node.js, from the first time on that somebody asks. */
  #defaults: Promise<Registry> | undefined;

  /** `wallClockMs` gives milliseconds since 1970. */
  constructor(source: MetricsSource, wallClockMs: () => number = Date.now) {
    this.#source = source;
    this.#wallClockMs = wallClockMs;
  }

  /** Everything in Prometheus' text format. */
  async text(): Promise<string> {
    this.#defaults ??= defaultMetrics();
    const defaults = await this.#defaults;
    const scrape = this.#read();
    const own = families.map((family) => textOf(family, scrape)).join('\n');
    this.#source.view.probeLag();
    return `${own}\n${await defaults.metrics()}`;
  }

  close(): void {
    this.#loopLag.close();
  }

  #read(): Scrape {
    const { build, observations, view } = this.#source;
    return {
      build,
      observations,
      origin: this.#source.origin(),
      logLinesLeftOut: this.#source.logLinesLeftOut(),
      snapshot: view.snapshot(),
      descriptors: descriptorUse(),
      mainLagMs: this.#loopLag.readMax(),
      wallClockMs: this.#wallClockMs(),
    };
  }
}

/** Loaded when it is wanted, for it takes 2 MB. */
async function defaultMetrics(): Promise<Registry> {
  // What is in CommonJS has no names of its own once it is bundled.
  const { default: prometheus } = await import('prom-client');
  const register = new prometheus.Registry();
  // It measures the event loop with a timer: every 10 ms unless told otherwise, which an idle process would feel.
  prometheus.collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 1_000 });
  for (const name of misleading) register.removeSingleMetric(name);
  return register;
}
