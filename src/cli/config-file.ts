/** The configuration file that a command is about. */
import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { formatIssues } from '../config/issues.ts';
import { type LoadResult, loadConfig } from '../config/load.ts';

const usualFiles = ['sluice.yaml', 'config/sluice.yaml'];

export const configOption = [
  '-c, --config <file>',
  `the configuration (without it: ${usualFiles.join(', then ')})`,
] as const;

/** The file that was named, or the first of the usual ones that is there. */
export function configFile(named: string | undefined): string {
  return named ?? usualFiles.find((file) => existsSync(file)) ?? 'sluice.yaml';
}

/** The checked configuration; undefined where it is wrong, and then stderr says all that is. */
export async function readConfig(file: string): Promise<Config | undefined> {
  return usable(await loadConfig(file, process.env));
}

/** The same for what was loaded already. */
export function usable(loaded: LoadResult): Config | undefined {
  if (loaded.ok) {
    if (loaded.warnings.length > 0) process.stderr.write(`${formatIssues(loaded.warnings)}\n`);
    return loaded.config;
  }
  process.stderr.write(`${formatIssues(loaded.issues)}\n`);
  return undefined;
}
