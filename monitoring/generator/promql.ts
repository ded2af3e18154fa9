/** The two forms of PromQL that most panels ask. `by` names the labels that are kept; over the others it sums. */

export function perSecond(counter: string, by = ''): string {
  return `sum by (${by}) (rate(${counter}[$__rate_interval]))`;
}

/** `share` of the values are at most this. `histogram` is without `_bucket`, its matchers behind it. */
export function quantile(share: number, histogram: string, by: string): string {
  const buckets = histogram.replace('{', '_bucket{');
  return `histogram_quantile(${share}, sum by (${by}, le) (rate(${buckets}[$__rate_interval])))`;
}
