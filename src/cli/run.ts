import { Command } from 'commander';
import { type LoadResult, loadConfig, originOf } from '../config/load.ts';
import { type ExitCode, exitCodes } from './command.ts';
import { type ConfigArguments, configFile, usable, withConfigFile } from './config-file.ts';
import { logIssues } from './failures.ts';
import { type LogArguments, logFor, withLogLevel, withLogOptions } from './log-options.ts';
import { ReloadRequests } from './reload-requests.ts';
import { serve } from './serve.ts';

interface RunArguments extends LogArguments, ConfigArguments {
  readonly watch?: true;
}

export function runCommand(ends: (code: ExitCode) => void): Command {
  const command = withConfigFile(new Command('run'))
    .description(
      'Run the proxy. SIGHUP reloads its configuration; SIGTERM stops it gracefully, twice at once',
    )
    .option('-w, --watch', 'reload when the file changes, or one that it names');
  return withLogOptions(command).action(async (argument: string | undefined, given: RunArguments) =>
    ends(await run(argument, given)),
  );
}

async function run(argument: string | undefined, given: RunArguments): Promise<ExitCode> {
  const reloads = new ReloadRequests();
  process.on('SIGHUP', reloads.request);
  const file = configFile(argument, given);
  const loaded = await loadConfig(file, process.env);
  const config = usable(loaded);
  if (config === undefined) {
    const log = logFor(undefined, given);
    logIssues(log, loaded);
    await log.flush();
    return exitCodes.usage;
  }

  const asked = withLogLevel(config, given);
  const log = logFor(asked.log, given);
  logIssues(log, loaded);
  const watched = given.watch ? new (await import('./watched-files.ts')).WatchedFiles() : undefined;
  watched?.on('change', () => reloads.request('file change'));
  await watched?.start(loaded.files);
  const load = async (): Promise<LoadResult> => {
    const again = await loadConfig(file, process.env);
    // Also of a file that is wrong: what it names may be what has to be mended.
    watched?.watch(again.files);
    return again.ok ? { ...again, config: withLogLevel(again.config, given) } : again;
  };
  const { ended } = await serve({ config: asked, log, origin: originOf(loaded), load }, reloads);
  const exitCode = await ended;
  await watched?.close();
  return exitCode;
}
