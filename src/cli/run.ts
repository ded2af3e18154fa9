import { once } from 'node:events';
import { type FSWatcher, watch } from 'chokidar';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { configFile, configOption, readConfig } from './config-file.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type LogArguments, logFor, withLogLevel, withLogOptions } from './log-options.ts';
import { serve } from './serve.ts';

interface RunArguments extends LogArguments {
  readonly config?: string;
  readonly watch?: true;
}

export function runCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('run')
    .description(
      'Run the proxy. SIGHUP reloads its configuration; SIGTERM stops it gracefully, twice at once',
    )
    .option(...configOption)
    .option('-w, --watch', 'reload when the file changes');
  return withLogOptions(command).action(async (given: RunArguments) => ends(await run(given)));
}

async function run(given: RunArguments): Promise<ExitCode> {
  const file = configFile(given.config);
  const config = await readConfig(file);
  if (config === undefined) return exitCodes.misused;

  const asked = withLogLevel(config, given);
  const watcher = given.watch ? await watched(file) : undefined;
  const { service, ended } = await serve({
    config: asked,
    log: logFor(asked, given),
    load: async () => {
      const loaded = await loadConfig(file, process.env);
      return loaded.ok ? { ...loaded, config: withLogLevel(loaded.config, given) } : loaded;
    },
  });
  watcher?.on('all', () => void service.reload());
  const exitCode = await ended;
  await watcher?.close();
  return exitCode;
}

/** Editors replace a file or write it in pieces: it has changed once it has been still for a moment. */
async function watched(file: string): Promise<FSWatcher> {
  const watcher = watch(file, {
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 },
  });
  await once(watcher, 'ready');
  return watcher;
}
