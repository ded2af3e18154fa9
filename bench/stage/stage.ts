/**
 * One measurement: a backend, the subject in front of it and the load, each a fresh process, so that no
 * measurement inherits another's memory, warm caches or ports in TIME_WAIT.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendJob } from '../programs/backend.ts';
import type { Launch, Setting, Subject } from '../subjects/subject.ts';
import { certificate } from './certificate.ts';
import { leanBackend } from './compiled.ts';
import { type Cores, share } from './cores.ts';
import { type Drive, type DriveOptions, drive } from './drive.ts';
import { freePort } from './free-ports.ts';
import { dropped, withLastWords } from './last-words.ts';
import { type ProgramName, startProgram } from './loads.ts';
import { end, type Running, start, temporaryDirectory } from './processes.ts';
import { accepts, within } from './waits.ts';

/** What a scenario sees: where to connect, and how to have load made and measured. */
export interface Stage {
  readonly subject: Subject;
  readonly setting: Setting;
  /** The length of a measured window, where the scenario has one. */
  readonly seconds: number;
  readonly port: number;
  /** Has a subject that can reload change over to its other configuration, or back. */
  reload(): void;
  /** Runs a load program to its result, and measures the subject in the window between warm and result. */
  drive(program: ProgramName, job: unknown, options?: DriveOptions): Promise<Drive>;
}

/** Who is measured: a subject, and what of its skills is switched on. */
export interface Entrant {
  readonly subject: Subject;
  readonly setting: Setting;
  /**
   * The load wants more short answers than the backend on Node has: it gets the one in C, where that can be compiled.
   */
  readonly wantsLeanBackend?: boolean;
}

/** Builds the stage, gives it to `act`, and takes it down again. */
export async function onStage<T>(
  { subject, setting, wantsLeanBackend }: Entrant,
  windowSeconds: number,
  act: (stage: Stage) => Promise<T>,
): Promise<T> {
  const processes: Running[] = [];
  const cores = share(subject.cores);
  try {
    const encrypted = setting.tls && subject.launch === undefined;
    const lean = wantsLeanBackend && !encrypted ? await leanBackend() : undefined;
    const job: BackendJob = { ...(encrypted && { tls: certificate() }), ...(lean && { lean }) };
    const backend = startProgram('backend', job, cores.load);
    processes.push(backend.running);
    // The backend's only answer, of the same build.
    const { port: backendPort } = (await backend.result) as { port: number };
    const { running, port, reload, log } = await startSubject(
      { subject, setting },
      backendPort,
      cores,
      processes,
    );
    const before = dropped();
    const witness = { log, stderr: () => running?.lastWords() ?? '' };
    const acted = act({
      subject,
      setting,
      seconds: windowSeconds,
      port,
      reload,
      async drive(name, job, options = {}) {
        const load = startProgram(name, job, cores.load);
        processes.push(load.running);
        return await drive({ load, backend: backend.running, subject: running, cores }, options);
      },
    });
    return await acted.catch((error: unknown) => Promise.reject(withLastWords(error, witness, before)));
  } finally {
    // The load first: a graceful proxy then has nothing left to wait for.
    for (const entry of processes.reverse()) await end(entry);
  }
}

async function startSubject(
  { subject, setting }: Entrant,
  backendPort: number,
  cores: Cores,
  processes: Running[],
): Promise<{ running: Running | undefined; port: number; reload: () => void; log?: string }> {
  if (subject.launch === undefined) return { running: undefined, port: backendPort, reload() {} };
  const directory = mkdtempSync(join(temporaryDirectory(), `${subject.name}-`));
  const port = await freePort();
  const launch: Launch = subject.launch({
    listenPort: port,
    backendPort,
    directory,
    setting,
    ...(setting.tls && { certificate: certificate() }),
  });
  if (launch.config !== undefined) writeFileSync(join(directory, launch.config.file), launch.config.text);
  const log = join(directory, launch.output ?? 'output.log');
  const running = start(launch.command, launch.args, cores.proxy, { ipc: false, output: log });
  processes.push(running);
  const tries = new AbortController();
  try {
    const ready = Promise.race([accepts(port, tries.signal), running.gone]);
    await within(10_000, `${subject.name} to accept`, ready);
  } finally {
    tries.abort();
  }
  let reloads = 0;
  const reload = (): void => {
    const { config, otherText = config?.text ?? '' } = launch;
    if (config === undefined) return;
    writeFileSync(join(directory, config.file), reloads++ % 2 === 0 ? otherText : config.text);
    process.kill(running.pid, 'SIGHUP');
  };
  return { running, port, reload, log };
}
