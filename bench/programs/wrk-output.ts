/** What wrk(1) prints at its end. */
import type { LoadResult } from './program.ts';

/** Throws where it is not what wrk 4 prints with `--latency`. */
export function readWrk(output: string): LoadResult {
  const requests = found(output, /(\d+) requests in/);
  const errors = [...(/Socket errors: .*/.exec(output)?.[0].matchAll(/\d+/g) ?? [])].map(Number);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  return {
    units: Number(requests),
    errors: errors.reduce((sum, count) => sum + count, refused),
    latencyUs: { p50: latencyUs(output, 50), p99: latencyUs(output, 99) },
  };
}

function latencyUs(output: string, percent: number): number {
  const [number = '', unit = ''] = found(output, new RegExp(`${percent}%\\s+(\\S+)`)).split(
    /(?<=\d)(?=[a-z])/,
  );
  return Number(number) * (microseconds[unit] ?? Number.NaN);
}

const microseconds: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 6e7 };

function found(output: string, pattern: RegExp): string {
  const text = pattern.exec(output)?.[1];
  if (text === undefined)
    throw new Error(`Expected ${pattern} in what wrk printed, found "${output.trim()}"`);
  return text;
}
