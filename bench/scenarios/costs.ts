/** What most scenarios measure: how fast, how soon, at what cost of CPU, in how much memory. */

import type { Drive, DriveOptions } from '../stage/drive.ts';
import type { ProgramName } from '../stage/loads.ts';
import type { Stage } from '../stage/stage.ts';
import type { Subject } from '../subjects/subject.ts';
import type { Measurement, Metric } from './scenario.ts';

const mib = 1024 * 1024;

/** A core counts as saturated from here on. */
export const saturated = 0.95;

export function rateMetric(unit: string, headline?: string): Metric {
  return {
    key: 'rate',
    title: 'rate',
    unit: `${unit}/s`,
    better: 'higher',
    compared: true,
    ...(headline && { headline }),
  };
}

export const latencyMetrics: readonly Metric[] = [
  { key: 'p50', title: 'p50', unit: 'ms', better: 'lower', compared: false },
  { key: 'p99', title: 'p99', unit: 'ms', better: 'lower', compared: false },
  { key: 'p999', title: 'p99.9', unit: 'ms', better: 'lower', compared: false },
];

/** What docs/performance.md calls the whole and the user's part; what is not named has no row there. */
interface CpuHeadlines {
  readonly cpu?: string;
  readonly user?: string;
}

export function cpuMetrics(unit: string, headlines: CpuHeadlines = {}): readonly Metric[] {
  const { cpu, user } = headlines;
  return [
    {
      key: 'cpu',
      title: 'CPU',
      unit: `µs/${unit}`,
      better: 'lower',
      compared: true,
      parts: ['user', 'system'],
      ...(cpu && { headline: cpu }),
    },
    {
      key: 'user',
      title: 'user',
      unit: 'µs',
      better: 'lower',
      compared: false,
      ...(user && { headline: user }),
    },
    { key: 'system', title: 'system', unit: 'µs', better: 'lower', compared: false },
  ];
}

export const peakMetric: Metric = {
  key: 'peak',
  title: 'peak',
  unit: 'MiB',
  better: 'lower',
  compared: false,
};

/** Of `direct`, which has no process, some scenarios can say nothing. */
export function isProxy({ launch }: Subject): boolean {
  return launch !== undefined;
}

/** Has a load made and refuses one with errors in it. */
export async function flawless(
  stage: Stage,
  program: ProgramName,
  job: unknown,
  options?: DriveOptions,
): Promise<Drive> {
  const drive = await stage.drive(program, job, options);
  const { errors, errorKinds = {}, units } = drive.load;
  if (errors > 0) {
    const kinds = Object.entries(errorKinds).map(([kind, count]) => `${count} × ${kind}`);
    throw new Error(`${errors} errors beside ${units} good units ${kinds.join(', ')}`.trim());
  }
  if (drive.load.units === 0) throw new Error('Nothing came through');
  return drive;
}

/** The common figures of a drive, in units of `unitSize` (1 for requests, a MiB for bytes). */
export function costs(drive: Drive, unitSize = 1): Measurement {
  const units = drive.load.units / unitSize;
  const { latencyUs } = drive.load;
  return {
    values: {
      rate: units / drive.seconds,
      p50: latencyUs && latencyUs.p50 / 1000,
      p99: latencyUs && latencyUs.p99 / 1000,
      p999: latencyUs?.p999 && latencyUs.p999 / 1000,
      ...cpuPerUnit(drive, units),
      peak: peakMib(drive),
    },
    ...loadOf(drive),
  };
}

export function peakMib({ after }: Drive): number | undefined {
  return after && after.peakBytes / mib;
}

export function loadOf({ busy }: Drive): Omit<Measurement, 'values'> {
  return {
    loadSaturated: (busy.load ?? 0) >= saturated || (busy.loadCores ?? 0) >= saturated,
    subjectBusy: busy.subject,
    strangersBusy: busy.strangers,
  };
}

/** For scenarios that ask what a setting costs: how much more CPU a unit takes than in the first one. */
export function addedCosts(unit: string): readonly Metric[] {
  return [
    { key: 'added', title: 'added', unit: `µs/${unit}`, better: 'lower', compared: false, added: 'cpu' },
    ...cpuMetrics(unit).map((metric) => ({ ...metric, compared: false })),
    { ...rateMetric(unit), compared: false },
    peakMetric,
  ];
}

function cpuPerUnit({ before, after }: Drive, units: number): Measurement['values'] {
  if (before === undefined || after === undefined) return {};
  const cpu = (after.cpuNs - before.cpuNs) / 1000 / units;
  const userTicks = after.userTicks - before.userTicks;
  const ticks = userTicks + after.systemTicks - before.systemTicks;
  // Without a tick there is nothing to split by.
  const userShare = ticks === 0 ? 0 : userTicks / ticks;
  return { cpu, user: cpu * userShare, system: cpu * (1 - userShare) };
}
