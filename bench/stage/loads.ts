/** Starts the programs of `bench/programs/` and speaks with them (see `program.ts` there). */
import { fileURLToPath } from 'node:url';
import type { FromProgram, ToProgram } from '../programs/program.ts';
import { type Running, start } from './processes.ts';
import { within } from './waits.ts';

export type ProgramName =
  | 'backend'
  | 'keepalive-load'
  | 'ping-pong-load'
  | 'paced-load'
  | 'connect-load'
  | 'bulk-load'
  | 'idle-load'
  | 'slow-reader-load'
  | 'paced-connect-load'
  | 'flood-load'
  | 'wrk-load'
  | 'decisions';

export interface Program {
  readonly running: Running;
  /** Resolves when it has warmed up and waits for its measured window. */
  readonly warm: Promise<void>;
  /** Begins the measured window. */
  go(): void;
  readonly result: Promise<unknown>;
}

/** Beyond this, a program hangs. */
const limitMs = 60_000;

export function startProgram(name: ProgramName, job: unknown, cores: readonly number[] | undefined): Program {
  const path = fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url));
  const running = start(process.execPath, [path], cores, { ipc: true });
  const say = (message: ToProgram): void => void running.child.send(message, () => {});

  let warm: (() => void) | undefined;
  let result: ((value: unknown) => void) | undefined;
  let failed: ((error: Error) => void) | undefined;
  const warmed = new Promise<void>((resolve) => {
    warm = resolve;
  });
  const finished = new Promise<unknown>((resolve, reject) => {
    result = resolve;
    failed = reject;
  });
  running.child.on('message', (message: FromProgram) => {
    if (message.kind === 'warm') warm?.();
    else if (message.kind === 'result') result?.(message.result);
    else failed?.(new Error(`${name}: ${message.message}`));
  });
  say({ kind: 'start', job });

  const outcome = within(limitMs, name, Promise.race([finished, running.gone]));
  outcome.catch(() => {});
  return {
    running,
    // A program that fails while it warms up says so in its outcome.
    warm: Promise.race([warmed, outcome.then(() => {})]),
    go: () => say({ kind: 'go' }),
    result: outcome,
  };
}
