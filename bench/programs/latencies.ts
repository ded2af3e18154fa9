import { percentile } from '../statistics.ts';
import type { LatencyUs } from './program.ts';

/** Every latency of a window is kept, so that its percentiles are exact. */
export class Latencies {
  readonly #us: number[] = [];

  record(us: number): void {
    this.#us.push(us);
  }

  get count(): number {
    return this.#us.length;
  }

  percentiles(): LatencyUs {
    const sorted = Float64Array.from(this.#us).sort();
    return {
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      p999: percentile(sorted, 0.999),
    };
  }
}
