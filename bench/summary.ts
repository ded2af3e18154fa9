/** What the samples of a scenario say: medians with their spread, ratios of each to each, and doubts. */
import { saturated } from './scenarios/costs.ts';
import type { Metric } from './scenarios/scenario.ts';
import { excess, type Rounds, ratio, type Spread, spread } from './statistics.ts';
import type { Outcome, OutcomeRow, Sample } from './suite.ts';

export interface Summary {
  readonly name: string;
  readonly question: string;
  readonly metrics: readonly Metric[];
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
  /** Sentences about what a reader must know to believe the figures. */
  readonly notes: readonly string[];
}

export interface Row {
  readonly subject: string;
  /** By the metric's key; without an entry where it is not available. */
  readonly figures: Readonly<Record<string, Spread>>;
}

export interface Comparison {
  readonly metric: Metric;
  readonly subjects: readonly string[];
  /** `ratios[row][column]`: how many times the column's value the row's is. */
  readonly ratios: readonly (readonly (Spread | undefined)[])[];
}

export function summarise({ scenario, rows, samples }: Outcome): Summary {
  const { name, question, metrics } = scenario;
  const subjects = rows.map((row) => row.name);
  return {
    name,
    question,
    metrics,
    rows: rows.map((row) => ({ subject: row.name, figures: figures(metrics, samples, row) })),
    comparisons: metrics
      .filter(({ compared }) => compared)
      .flatMap((metric) => comparison(metric, subjects, samples)),
    notes: [
      ...strangers(samples),
      ...limits(samples, subjects, metrics),
      ...absences(metrics, samples),
      ...failures(samples),
    ],
  };
}

function figures(metrics: readonly Metric[], samples: readonly Sample[], row: OutcomeRow): Row['figures'] {
  const found: Record<string, Spread> = {};
  for (const { key, added } of metrics) {
    const values =
      added === undefined ? spread([...rounds(samples, row.name, key).values()]) : over(added, samples, row);
    if (values !== undefined) found[key] = values;
  }
  return found;
}

function over(key: string, samples: readonly Sample[], { name, base }: OutcomeRow): Spread | undefined {
  return base === undefined ? undefined : excess(rounds(samples, name, key), rounds(samples, base, key));
}

/** Only of the subjects that have the figure, and only where there are two of them. */
function comparison(metric: Metric, subjects: readonly string[], samples: readonly Sample[]): Comparison[] {
  const known = subjects
    .map((subject) => ({ subject, values: rounds(samples, subject, metric.key) }))
    .filter(({ values }) => values.size > 0);
  if (known.length < 2) return [];
  const ratios = known.map((ours) => known.map((theirs) => ratio(ours.values, theirs.values)));
  return [{ metric, subjects: known.map(({ subject }) => subject), ratios }];
}

/** The values of one row by round. */
export function rounds(samples: readonly Sample[], subject: string, key: string): Rounds {
  const values = new Map<number, number>();
  for (const sample of samples) {
    const value = sample.subject === subject ? sample.measurement?.values[key] : undefined;
    if (value !== undefined && Number.isFinite(value)) values.set(sample.round, value);
  }
  return values;
}

/** More than this many cores taken by others, and figures are worth little. */
const tolerable = 0.1;

function strangers(samples: readonly Sample[]): string[] {
  const busy = spread(samples.flatMap(({ measurement }) => measurement?.strangersBusy ?? []));
  if (busy === undefined || busy.max <= tolerable) return [];
  const cores = `${busy.median.toFixed(1)} cores (${busy.min.toFixed(1)}–${busy.max.toFixed(1)})`;
  return [`Other processes kept ${cores} busy meanwhile: repeat it on a quiet machine.`];
}

/** What kept each rate from being higher, in any of its rounds; nothing is said where nothing did. */
function limits(
  samples: readonly Sample[],
  subjects: readonly string[],
  metrics: readonly Metric[],
): string[] {
  if (!metrics.some(({ key }) => key === 'rate')) return [];
  const limited: Record<Limit, string[]> = { load: [], subject: [], nothing: [] };
  for (const subject of subjects) {
    const limit = limitOf(samples.filter((sample) => sample.subject === subject));
    if (limit !== undefined) limited[limit].push(subject);
  }
  const parts = [
    ['load, backend or their core, so that CPU is the figure to compare', limited.load],
    ['their own core', limited.subject],
    ['nothing', limited.nothing],
  ] as const;
  const said = parts.flatMap(([what, names]) => (names.length > 0 ? [`${names.join(', ')}: ${what}`] : []));
  return limited.load.length + limited.subject.length === 0
    ? []
    : [
        `What was at its limit (95 % busy or more) beside ${said.join('; ')}.${leisure(samples, limited.load)}`,
      ];
}

/** How far subjects were from their own limit: what has little to do finds less to do at once. */
function leisure(samples: readonly Sample[], subjects: readonly string[]): string {
  const said = subjects.flatMap((subject) => {
    const ofIt = samples.filter((sample) => sample.subject === subject);
    const busy = spread(ofIt.flatMap(({ measurement }) => measurement?.subjectBusy ?? []));
    return busy === undefined ? [] : [`${subject} ${busy.median.toFixed(2)}`];
  });
  return said.length === 0 ? '' : ` Cores that these kept busy: ${said.join(', ')}.`;
}

type Limit = 'load' | 'subject' | 'nothing';

function limitOf(samples: readonly Sample[]): Limit | undefined {
  const measured = samples.flatMap(({ measurement }) => measurement ?? []);
  if (measured.length === 0) return undefined;
  if (measured.some(({ loadSaturated }) => loadSaturated)) return 'load';
  return measured.some(({ subjectBusy = 0 }) => subjectBusy >= saturated) ? 'subject' : 'nothing';
}

function absences(metrics: readonly Metric[], samples: readonly Sample[]): string[] {
  const measured = samples.flatMap(({ measurement }) =>
    measurement === undefined ? [] : [measurement.values],
  );
  if (measured.length === 0) return [];
  const absent = metrics.filter(
    ({ key, added }) => added === undefined && measured.every((values) => values[key] === undefined),
  );
  if (absent.length === 0) return [];
  return [
    `Not available here: ${absent.map(({ title }) => title).join(', ')} (it is read from Linux's /proc).`,
  ];
}

function failures(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ subject, round, failure }) =>
    failure === undefined ? [] : [`${subject} failed in round ${round + 1}: ${failure}`],
  );
}
