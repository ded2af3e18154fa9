/** The processes that the bench starts: each is ended by it, whatever happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinned } from './cores.ts';
import { family } from './usage.ts';

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Rejects when the process ends, with the last of what it said. */
  readonly gone: Promise<never>;
  /** The end of what it has said on stderr. */
  lastWords(): string;
}

const running = new Set<Running>();

/** Starts a process. With `ipc`, it can be spoken to; without `output`, a file, what it prints goes nowhere. */
export function start(
  command: string,
  args: readonly string[],
  cores: readonly number[] | undefined,
  { ipc, output }: { readonly ipc: boolean; readonly output?: string },
): Running {
  const stdout = output === undefined ? 'ignore' : openSync(output, 'a');
  const child = spawn(...pinned(cores, command, args), {
    stdio: ['ignore', stdout, 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  });
  if (stdout !== 'ignore') closeSync(stdout);
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-2_000);
  });
  const gone = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(
        new Error(`${command} ended with ${signal ?? `code ${code}`}: ${lastWords.trim() || 'no words'}`),
      );
    });
  });
  // Only a wait that races with it wants to know.
  gone.catch(() => {});
  const entry: Running = { child, pid: child.pid ?? 0, gone, lastWords: () => lastWords };
  running.add(entry);
  return entry;
}

/** Ends a process: asks, and after two seconds doesn't ask again. Resolves once it is gone. */
export async function end(entry: Running): Promise<void> {
  const pids = family(entry.pid);
  entry.child.kill('SIGTERM');
  const impatient = setTimeout(() => kill(pids), 2_000);
  await entry.gone.catch(() => {});
  clearTimeout(impatient);
  running.delete(entry);
}

let directory: string | undefined;

/** A directory for the configurations of this run; it goes when the bench ends. */
export function temporaryDirectory(): string {
  directory ??= mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  return directory;
}

/** Ends all that is left, at once: for the bench's own end, however it comes. */
export function cleanUp(): void {
  for (const { pid } of running) kill(family(pid));
  running.clear();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL');
    } catch {
      // It was faster.
    }
  }
}
