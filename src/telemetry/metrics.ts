/**
 * The metrics of the contract. Their values are read from the ledger when somebody asks, for what is in
 * the plan by then: nothing is pushed, and what a reload removed is gone with the next scrape.
 */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { Plan } from '../core/plan.ts';
import { backendFamilies } from './backend-families.ts';
import { ControlCounts } from './control-counts.ts';
import type { Build, Family, Scrape } from './family.ts';
import { listenerFamilies } from './listener-families.ts';
import { processFamilies } from './process-families.ts';
import type { Snapshot } from './snapshot.ts';

/** What metrics are made of; read anew each time, for a reload brings a new plan. */
export interface MetricsSource {
  readonly plan: Plan;
  readonly build: Build;
  snapshot(): Snapshot;
}

export class Metrics {
  readonly #source: MetricsSource;
  readonly #wallClockMs: () => number;
  readonly #control: ControlCounts;
  readonly #registry = new Registry();
  #scrape: Scrape;

  /** `wallClockMs` gives milliseconds since 1970. */
  constructor(source: MetricsSource, wallClockMs: () => number = Date.now) {
    this.#source = source;
    this.#wallClockMs = wallClockMs;
    this.#control = new ControlCounts(wallClockMs());
    this.#scrape = this.#read();
    for (const family of [...processFamilies, ...listenerFamilies, ...backendFamilies])
      this.#register(family);
    // It measures the event loop with a timer: every 10 ms unless told otherwise, which an idle process would feel.
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 1_000 });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    this.#scrape = this.#read();
    // The registry asks all families for their samples before it waits for anything.
    return this.#registry.metrics();
  }

  countHealthCheck(pool: string, backend: string, pass: boolean): void {
    this.#control.countHealthCheck(pool, backend, pass, this.#source.plan);
  }

  countReload(success: boolean): void {
    this.#control.countReload(success, this.#wallClockMs());
  }

  #register({ name, help, type, samples }: Family): void {
    const metric = {
      name,
      get: () => Promise.resolve({ name, help, type, values: samples(this.#scrape) }),
    };
    // prom-client's own Counter and Histogram can't take a value from outside. Of a metric the registry only
    // uses the name and `get` (registry.js: registerMetric, getMetricsAsString), so that is all there is.
    this.#registry.registerMetric(metric as unknown as Metric);
  }

  #read(): Scrape {
    const { build } = this.#source;
    return { build, control: this.#control, snapshot: this.#source.snapshot() };
  }
}
