/**
 * One measurement: a backend, the subject in front of it and the load, each a fresh process, so that no
 * measurement inherits another's memory, warm caches or ports in TIME_WAIT.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadResult } from '../programs/program.ts';
import type { Launch, Subject } from '../subjects/subject.ts';
import { type Cores, loadCores, share } from './cores.ts';
import { type Program, type ProgramName, startProgram } from './loads.ts';
import { end, type Running, start, temporaryDirectory } from './processes.ts';
import { forgetPeak, type Usage, usage } from './usage.ts';
import { accepts, freePort, pause, within } from './waits.ts';

/** What a scenario sees: where to connect, and how to have load made and measured. */
export interface Stage {
  readonly subject: Subject;
  /** The length of a measured window, where the scenario has one. */
  readonly seconds: number;
  readonly port: number;
  /** Runs a load program to its result, and measures the subject in the window between warm and result. */
  drive(program: ProgramName, job: unknown, options?: DriveOptions): Promise<Drive>;
}

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

/** Shares of a core that were busy during the window; undefined without /proc. */
export interface Busy {
  readonly load: number | undefined;
  readonly backend: number | undefined;
  readonly subject: number | undefined;
  /** Load and backend together, as a share of all the cores they were given. */
  readonly loadCores: number | undefined;
}

/** Builds the stage, gives it to `act`, and takes it down again. */
export async function onStage<T>(
  subject: Subject,
  windowSeconds: number,
  act: (stage: Stage) => Promise<T>,
): Promise<T> {
  const processes: Running[] = [];
  const cores = share(subject.cores);
  try {
    const backend = startProgram('backend', null, cores.load);
    processes.push(backend.running);
    // The backend's only answer, of the same build.
    const { port: backendPort } = (await backend.result) as { port: number };
    const { running, port } = await startSubject(subject, backendPort, cores, processes);
    return await act({
      subject,
      seconds: windowSeconds,
      port,
      async drive(name, job, options = {}) {
        const load = startProgram(name, job, cores.load);
        processes.push(load.running);
        return await measured({ load, backend: backend.running, subject: running, cores, options });
      },
    });
  } finally {
    // The load first: a graceful proxy then has nothing left to wait for.
    for (const entry of processes.reverse()) await end(entry);
  }
}

async function startSubject(
  subject: Subject,
  backendPort: number,
  cores: Cores,
  processes: Running[],
): Promise<{ running: Running | undefined; port: number }> {
  if (subject.launch === undefined) return { running: undefined, port: backendPort };
  const directory = mkdtempSync(join(temporaryDirectory(), `${subject.name}-`));
  const port = await freePort();
  const launch: Launch = subject.launch({ listenPort: port, backendPort, directory });
  if (launch.config !== undefined) writeFileSync(join(directory, launch.config.file), launch.config.text);
  const running = start(launch.command, launch.args, cores.proxy, { ipc: false });
  processes.push(running);
  const tries = new AbortController();
  try {
    const ready = Promise.race([accepts(port, tries.signal), running.gone]);
    await within(10_000, `${subject.name} to accept`, ready);
  } finally {
    tries.abort();
  }
  return { running, port };
}

interface Cast {
  readonly load: Program;
  readonly backend: Running;
  readonly subject: Running | undefined;
  readonly cores: Cores;
  readonly options: DriveOptions;
}

async function measured({ load, backend, subject, cores, options }: Cast): Promise<Drive> {
  await load.warm;
  if (subject !== undefined) forgetPeak(subject.pid);
  const pids = [load.running.pid, backend.pid, subject?.pid];
  const before = pids.map((pid) => (pid === undefined ? undefined : usage(pid)));
  const startMs = performance.now();
  load.go();
  // Every load program answers with a LoadResult, and they are of the same build.
  const result = (await Promise.race([load.result, ...(subject ? [subject.gone] : [])])) as LoadResult;
  const windowSeconds = (performance.now() - startMs) / 1000;
  if (options.settle && subject !== undefined) await settled(subject.pid);
  const after = pids.map((pid) => (pid === undefined ? undefined : usage(pid)));

  const busy = (index: number): number | undefined => {
    const [first, last] = [before[index], after[index]];
    if (first === undefined || last === undefined) return undefined;
    return (last.cpuNs - first.cpuNs) / 1e9 / windowSeconds;
  };
  const [loadBusy, backendBusy] = [busy(0), busy(1)];
  return {
    load: result,
    seconds: windowSeconds,
    before: before[2],
    after: after[2],
    busy: {
      load: loadBusy,
      backend: backendBusy,
      subject: busy(2),
      loadCores:
        loadBusy === undefined || backendBusy === undefined
          ? undefined
          : (loadBusy + backendBusy) / loadCores(cores),
    },
  };
}

/** Waits until three readings in a row of the resident memory are within 64 KiB, for five seconds at most. */
async function settled(pid: number): Promise<void> {
  let last = Number.NaN;
  let calm = 0;
  for (let reading = 0; reading < 50 && calm < 3; reading++) {
    const now = usage(pid)?.residentBytes ?? 0;
    calm = Math.abs(now - last) <= 64 * 1024 ? calm + 1 : 0;
    last = now;
    await pause(100);
  }
}
