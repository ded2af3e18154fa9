/** Numbers and times as people read them. */

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function count(number: number): string {
  return number < 100_000 ? whole.format(Math.round(number)) : short.format(number);
}

/** `1 backend`, `2 backends`. */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** NaN is not known yet. */
export function rate(perSecond: number): string {
  if (Number.isNaN(perSecond)) return '–';
  if (perSecond === 0) return '0';
  return perSecond < 9.95 ? perSecond.toFixed(1) : count(perSecond);
}

export function bytes(number: number): string {
  if (Number.isNaN(number)) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = number < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(number) / 10));
  const value = number / 1024 ** power;
  return `${value.toFixed(power > 0 && value < 100 ? 1 : 0)} ${units[power]}`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** With one unit, and a second one while the first is small: `1 h 20 min`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const at = units.findIndex(([, per]) => ms >= per);
  const [unit, per] = units[at] ?? units[3];
  const first = Math.floor(ms / per);
  const [lower, lowerPer] = units[at + 1] ?? [];
  const rest = lowerPer === undefined ? 0 : Math.floor((ms % per) / lowerPer);
  return `${first} ${unit}${first < 3 && rest > 0 ? ` ${rest} ${lower}` : ''}`;
}

/** For how long something holds: whole seconds. */
export function since(iso: string): string {
  const ms = Date.now() - Date.parse(iso);
  return ms < 1_000 ? 'just now' : span(ms);
}

export function ago(iso: string): string {
  const text = since(iso);
  return text === 'just now' ? text : `${text} ago`;
}

/** Until a time in the future. */
export function inTime(iso: string): string {
  const ms = Date.parse(iso) - Date.now();
  return ms < 1_000 ? 'now' : `in ${span(ms)}`;
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** The time of day where it is today, else with the date. */
export function time(iso: string): string {
  const at = new Date(iso);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : day.format(at);
}
