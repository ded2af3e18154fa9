/** Has one load program run beside a subject, and reads what all of them used in its measured window. */
import type { LoadResult } from '../programs/program.ts';
import type { Cores } from './cores.ts';
import type { Program } from './loads.ts';
import { coreTicks, occupied } from './occupancy.ts';
import type { Running } from './processes.ts';
import { forgetPeak, type Usage, usage } from './usage.ts';
import { pause } from './waits.ts';

export interface DriveOptions {
  /** Waits until the subject's memory has come to rest before its last reading. */
  readonly settle?: boolean;
}

export interface Drive {
  readonly load: LoadResult;
  readonly seconds: number;
  /** The subject's usage at both ends of the window; undefined without a process or without /proc. */
  readonly before: Usage | undefined;
  readonly after: Usage | undefined;
  readonly busy: Busy;
}

/** What kept the cores busy during the window; undefined without /proc. */
export interface Busy {
  /** The subject, in cores. */
  readonly subject: number | undefined;
  /** The busier of load and backend, in cores: each has one thread, so that it ends at 1. */
  readonly load: number | undefined;
  /** The share of the load's cores that was taken, by whatever. */
  readonly loadCores: number | undefined;
  /** Processes that are none of the bench, in cores. */
  readonly strangers: number | undefined;
}

interface Cast {
  readonly load: Program;
  readonly backend: Running;
  readonly subject: Running | undefined;
  readonly cores: Cores;
}

export async function drive(cast: Cast, options: DriveOptions): Promise<Drive> {
  const { load, subject } = cast;
  await load.warm;
  if (subject !== undefined) forgetPeak(subject.pid);
  const before = reading(cast);
  load.go();
  // Every load program answers with a LoadResult, and they are of the same build.
  const result = (await Promise.race([load.result, ...(subject ? [subject.gone] : [])])) as LoadResult;
  const after = reading(cast);
  if (options.settle && subject !== undefined) await settled(subject.pid);
  return {
    load: result,
    seconds: (after.ms - before.ms) / 1000,
    before: before.subject,
    after: options.settle && subject !== undefined ? usage(subject.pid) : after.subject,
    busy: busy(before, after, cast.cores),
  };
}

type Reading = ReturnType<typeof reading>;

function reading({ load, backend, subject }: Cast) {
  return {
    ms: performance.now(),
    cores: coreTicks(),
    load: usage(load.running.pid),
    backend: usage(backend.pid),
    subject: subject && usage(subject.pid),
  };
}

function busy(before: Reading, after: Reading, cores: Cores): Busy {
  const coresOf = (who: 'load' | 'backend' | 'subject'): number => {
    const [first, last] = [before[who], after[who]];
    return first && last ? (last.cpuNs - first.cpuNs) / 1e6 / (after.ms - before.ms) : 0;
  };
  const [load, backend, subject] = [coresOf('load'), coresOf('backend'), coresOf('subject')];
  if (before.cores === undefined || after.cores === undefined) {
    return { subject: undefined, load: undefined, loadCores: undefined, strangers: undefined };
  }
  const taken = occupied(before.cores, after.cores) * after.cores.size;
  return {
    subject: after.subject && subject,
    load: Math.max(load, backend),
    loadCores: occupied(before.cores, after.cores, cores.load),
    strangers: Math.max(0, taken - load - backend - subject),
  };
}

/** Waits until three readings in a row of the resident memory are within 64 KiB, for five seconds at most. */
async function settled(pid: number): Promise<void> {
  let last = Number.NaN;
  let calm = 0;
  for (let turn = 0; turn < 50 && calm < 3; turn++) {
    const now = usage(pid)?.residentBytes ?? 0;
    calm = Math.abs(now - last) <= 64 * 1024 ? calm + 1 : 0;
    last = now;
    await pause(100);
  }
}
