/** Reads Prometheus' text format: `name{label="value"}` as it stands → value. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, series, value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series === undefined || samples.has(series))
      throw new Error(`Not a sample, or one seen before: ${line}`);
    samples.set(series, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value));
  }
  return samples;
}

/** The sum over all series of a name that have these labels. */
export function sumOf(samples: ReadonlyMap<string, number>, name: string, label: string): number {
  return [...samples]
    .filter(([series]) => series.startsWith(`${name}{`) && series.includes(label))
    .reduce((sum, [, value]) => sum + value, 0);
}
