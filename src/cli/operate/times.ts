/** Times as people read them at a glance. */

/** How long a time, in ISO 8601, has been over: `3d`, `5h12m`, `7m`, `12s`. */
export function ago(time: string | null): string {
  return time === null ? 'ever' : roughly(Date.now() - Date.parse(time));
}

/** A span in its two largest units. */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(seconds / unit)) as Triple;
  if (days > 0) return `${days}d${orNothing(hours % 24, 'h')}`;
  if (hours > 0) return `${hours}h${orNothing(minutes % 60, 'm')}`;
  if (minutes > 0) return `${minutes}m${orNothing(seconds % 60, 's')}`;
  return `${seconds}s`;
}

type Triple = [number, number, number];

function orNothing(count: number, unit: string): string {
  return count === 0 ? '' : `${count}${unit}`;
}
