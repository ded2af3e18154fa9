/**
 * A run's figures as Markdown for docs/performance.md: a row for each headline, a column for each subject and ratio.
 */
import type { Environment, SubjectHere } from '../environment.ts';
import type { Metric } from '../scenarios/scenario.ts';
import { ratio, type Spread } from '../statistics.ts';
import { rounds } from '../summary.ts';
import { times } from './figures.ts';
import type { Result, Results } from './results.ts';

export function readme({ environment, scenarios }: Results): string {
  const sizes = [...new Set(environment.subjects.map(({ cores }) => cores))].sort(
    (one, other) => one - other,
  );
  const tables = sizes.map((size) =>
    headlines(
      scenarios,
      environment.subjects.filter(({ cores }) => cores === size),
    ),
  );
  const paragraphs = [
    origin(environment, scenarios),
    ...tables,
    ...scenarios.map(additions),
    tables.some((text) => text.includes(limited))
      ? `${limited} Load and backend were at their limit: the figure is theirs.`
      : '',
    notes(scenarios),
  ];
  return `${paragraphs.filter((paragraph) => paragraph !== '').join('\n\n')}\n`;
}

/** What sluice takes, as a multiple of what HAProxy takes: of one thread each, where both were measured. */
export function summaryTable({ environment, scenarios }: Results): string {
  const [ours, peer] = ['sluice-uring', 'haproxy'];
  const rows = headlinesOf(scenarios).flatMap(({ result, metric, headline }) => {
    const ratio = quotient(result, metric, ours, peer);
    return ratio === '' ? [] : [[headline, figure(result, metric, ours), ratio]];
  });
  const date = new Date(environment.date).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  return `${table([date, 'sluice', 'sluice ÷ HAProxy'], rows)}\n`;
}

function headlinesOf(scenarios: readonly Result[]) {
  return scenarios.flatMap((result) =>
    result.metrics.flatMap((metric) => {
      const { headline, added } = metric;
      return headline === undefined || added !== undefined ? [] : [{ result, metric, headline }];
    }),
  );
}

/** Follows a rate that the load could not exceed, and a ratio with one in it. */
const limited = '\\*';

/** When, with which command, where and beside what. */
function origin(where: Environment, scenarios: readonly Result[]): string {
  const date = new Date(where.date).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  const kernel = where.kernel.split('.').slice(0, 2).join('.');
  const counts = scenarios.flatMap(({ rows }) =>
    rows.flatMap(({ figures }) => Object.values(figures).map(({ count }) => count)),
  );
  const most = Math.max(1, ...counts);
  const machine = [where.cpu, `${where.cores} cores`, kernel, `Node ${where.node.slice(1)}`, ...peers(where)];
  return `Measured on ${date} with \`${where.command}\`: ${machine.join(', ')}. Pinning: ${where.pinning}. Medians of up to ${most} rounds in which the subjects take turns; a ratio is the median of the ratios within each round, with their range.`;
}

/** The programs that are none of Node's, each once with its version. */
function peers({ subjects }: Environment): readonly string[] {
  const found = subjects.flatMap(({ name, version }) => {
    const number = isOurs(name) ? undefined : /^\d+(\.\d+)+/.exec(version)?.[0];
    return number === undefined ? [] : [`${name.split('-', 1)[0]} ${number}`];
  });
  return [...new Set(found)];
}

function headlines(scenarios: readonly Result[], subjects: readonly SubjectHere[]): string {
  const names = subjects.map(({ name }) => name);
  const pairs = names
    .filter(isOurs)
    .flatMap((ours) =>
      names.filter((name) => !isOurs(name) && name !== 'direct').map((peer) => ({ ours, peer })),
    );
  const rows = headlinesOf(scenarios).flatMap(({ result, metric, headline }) => {
    const figures = names.map((name) => figure(result, metric, name));
    if (figures.every((text) => text === '')) return [];
    const ratios = pairs.map(({ ours, peer }) => quotient(result, metric, ours, peer));
    return [[headline, ...figures, ...ratios]];
  });
  return table(['', ...names, ...pairs.map(({ ours, peer }) => `${ours} ÷ ${peer}`)], rows);
}

function figure(result: Result, metric: Metric, subject: string): string {
  const spread = result.rows.find((row) => row.subject === subject)?.figures[metric.key];
  return spread === undefined ? '' : readable(spread.median) + bound(result, metric, subject);
}

function quotient(result: Result, metric: Metric, ours: string, peer: string): string {
  const of = (subject: string) => rounds(result.samples, subject, metric.key);
  const spread = ratio(of(ours), of(peer));
  if (spread === undefined) return '';
  const mark = bound(result, metric, ours) || bound(result, metric, peer);
  const text = times(spread.median) + mark;
  return spread.count < 2 ? text : `${text} (${times(spread.min)}–${times(spread.max)})`;
}

/** The mark of a rate that the load kept down, if only in one round. */
function bound({ samples }: Result, { key }: Metric, subject: string): string {
  if (key !== 'rate') return '';
  return samples.some((sample) => sample.subject === subject && sample.measurement?.loadSaturated)
    ? limited
    : '';
}

/** What a setting adds to the first one: a table of its own, with a line for each subject and setting. */
function additions({ question, metrics, rows }: Result): string {
  const added = metrics.find((metric) => metric.added !== undefined);
  const whole = metrics.find(({ key }) => key === added?.added);
  if (added === undefined || whole === undefined) return '';
  const lines = rows.map(({ subject, figures }) => {
    const [total, more] = [figures[whole.key], figures[added.key]];
    return [subject, total ? readable(total.median) : '', more ? withRange(more) : ''];
  });
  const head = [whole, added].map(({ title, unit }) => `${title} (${unit})`);
  return `${question}\n\n${table(['', ...head], lines)}`;
}

function withRange({ median, min, max, count }: Spread): string {
  return count < 2 ? readable(median) : `${readable(median)} (${readable(min)} to ${readable(max)})`;
}

function notes(scenarios: readonly Result[]): string {
  return scenarios.flatMap((result) => result.notes.map((note) => `- ${result.name}: ${note}`)).join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

function readable(value: number): string {
  return threeDigits.format(value);
}

function isOurs(subject: string): boolean {
  return subject.startsWith('sluice');
}
