#!/usr/bin/env node
/** The executable: reads the arguments, runs one command, and ends with its exit code. */
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { showSourcePlaces } from './source-places.ts';

process.on('uncaughtExceptionMonitor', showSourcePlaces);

// At SIGUSR1 Node would open a debugger, in which whoever reaches it can do anything, and at SIGUSR2 it would end.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});

// These come to whoever listens once the modules have loaded; where nobody does, they end the process as ever.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, endUnlessTaken);

// The room for young objects would grow while the modules load, and stay: 5 MB here, up to 16 on newer Nodes. The flag
// holds for the threads that move bytes too, which have a limit besides (control/workers/worker-thread.ts).
setFlagsFromString('--semi-space-growth-factor=1');

// `import` opens all files of a level of the graph at once, so that a process that may have no more than 128
// descriptors might not even start, and handles signals before the commands do. `require` does neither.
const require = createRequire(import.meta.url);
// The file's own ending: .ts where the source runs, .js where it was built.
const commands = require(`./cli/program${import.meta.url.slice(-3)}`) as typeof import('./cli/program.ts');

// What is asked of the system's resolver can't be called back, and would keep the process for as long as it takes.
const exitCode = await commands.program(process.argv);
process.stdout.write('', () => process.exit(exitCode));

function endUnlessTaken(signal: NodeJS.Signals, number: number): void {
  if (process.listenerCount(signal) > 1) return;
  process.off(signal, endUnlessTaken);
  // The first process of a container is ended by no signal that it does not take.
  if (process.pid === 1) process.exit(128 + number);
  process.kill(process.pid, signal);
}
