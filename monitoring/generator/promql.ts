/** The forms of PromQL that most panels ask. `by` names the labels that are kept; over the others it sums. */
import type { Queries } from './panel.ts';

export function perSecond(counter: string, by = ''): string {
  return `sum by (${by}) (rate(${counter}[$__rate_interval]))`;
}

/** `share` of the values are at most this. `histogram` is without `_bucket`, its matchers behind it. */
export function quantile(share: number, histogram: string, by: string): string {
  const buckets = histogram.replace('{', '_bucket{');
  return `histogram_quantile(${share}, sum by (${by}, le) (rate(${buckets}[$__rate_interval])))`;
}

/** The half, the slowest tenth and the slowest hundredth, by what stands in a graph's legend. */
export function quantiles(histogram: string, by: string): Queries {
  return {
    [`{{${by}}} half`]: quantile(0.5, histogram, by),
    [`{{${by}}} slowest tenth`]: quantile(0.9, histogram, by),
    [`{{${by}}} slowest hundredth`]: quantile(0.99, histogram, by),
  };
}
