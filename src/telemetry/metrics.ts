/**
 * The metrics of the contract. Their values are read from the ledger when somebody asks, for what is in
 * the plan by then: nothing is pushed, and what a reload removed is gone with the next scrape.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Plan } from '../core/plan.ts';
import { ControlCounts } from './control-counts.ts';
import { families } from './families/families.ts';
import { type Build, type Scrape, textOf } from './families/family.ts';
import type { Snapshot } from './snapshot.ts';

/** What metrics are made of; read anew each time, for a reload brings a new plan. */
export interface MetricsSource {
  readonly plan: Plan;
  readonly build: Build;
  snapshot(): Snapshot;
}

/** Gauges whose names say that they are counters: Prometheus' own linter objects to them. */
const misnamed = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

export class Metrics {
  readonly #source: MetricsSource;
  readonly #wallClockMs: () => number;
  readonly #control: ControlCounts;
  /** Of the process and of Node.js. */
  readonly #defaults = new Registry();

  /** `wallClockMs` gives milliseconds since 1970. */
  constructor(source: MetricsSource, wallClockMs: () => number = Date.now) {
    this.#source = source;
    this.#wallClockMs = wallClockMs;
    this.#control = new ControlCounts(wallClockMs());
    // It measures the event loop with a timer: every 10 ms unless told otherwise, which an idle process would feel.
    collectDefaultMetrics({ register: this.#defaults, eventLoopMonitoringPrecision: 1_000 });
    for (const name of misnamed) this.#defaults.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.#defaults.contentType;
  }

  /** Everything in Prometheus' text format. */
  async text(): Promise<string> {
    const scrape = this.#read();
    const own = families.map((family) => textOf(family, scrape)).join('\n');
    return `${own}\n${await this.#defaults.metrics()}`;
  }

  countHealthCheck(pool: string, backend: string, pass: boolean): void {
    this.#control.countHealthCheck(pool, backend, pass, this.#source.plan);
  }

  countReload(success: boolean): void {
    this.#control.countReload(success, this.#wallClockMs());
  }

  #read(): Scrape {
    const { build } = this.#source;
    return { build, control: this.#control, snapshot: this.#source.snapshot() };
  }
}
