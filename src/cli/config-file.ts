/** The configuration file that a command is about. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { formatIssues } from '../config/issues.ts';
import { type LoadResult, loadConfig } from '../config/load.ts';
import { UsageError } from './command.ts';

const usualFiles = ['sluice.yaml', 'config/sluice.yaml'];

/** How people name the file: behind `-c`, or by itself. */
export interface ConfigArguments {
  readonly config?: string;
}

/** Gives a command the argument and the option that name its configuration. */
export function withConfigFile(command: Command): Command {
  return command
    .argument('[file]', `the configuration (without it: ${usualFiles.join(', then ')})`)
    .option('-c, --config <file>', 'the same');
}

/** The file that was named, or the first of the usual ones that is there. Throws a UsageError where there is none. */
export function configFile(argument: string | undefined, { config }: ConfigArguments): string {
  if (argument !== undefined && config !== undefined) {
    throw new UsageError(`Expected one configuration, found two: ${argument}, and ${config} behind -c`);
  }
  const file = argument ?? config ?? usualFile();
  if (file !== undefined) return file;
  throw new UsageError(
    `Expected a configuration, found none in ${process.cwd()}: tried ${usualFiles.join(', then ')}. ` +
      'Name one with -c FILE; "sluice demo" and "sluice forward" need none',
  );
}

/** The first of the usual files that is there. */
export function usualFile(): string | undefined {
  return usualFiles.find((file) => existsSync(file));
}

/** The checked configuration; undefined where it is wrong. stderr then says all that is, and of what to beware. */
export async function readConfig(file: string): Promise<Config | undefined> {
  return usable(await loadConfig(file, process.env));
}

/** The same for what was loaded already. */
export function usable(loaded: LoadResult): Config | undefined {
  if (loaded.ok) {
    if (loaded.warnings.length > 0) process.stderr.write(`${formatIssues(loaded.warnings, 'warning')}\n`);
    return loaded.config;
  }
  process.stderr.write(`${formatIssues(loaded.issues)}\n${countOf(loaded.issues.length, 'mistake')}\n`);
  return undefined;
}

export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
