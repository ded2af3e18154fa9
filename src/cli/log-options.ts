import { type Command, Option } from 'commander';
import type { Config, LogConfig } from '../config/config.ts';
import { StartError } from '../service.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { LogFileError } from '../telemetry/log-file.ts';

export interface LogArguments {
  readonly logLevel?: LogConfig['level'];
  readonly json?: true;
}

const levels: readonly LogConfig['level'][] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Gives a command the options about its log. */
export function withLogOptions(command: Command): Command {
  return command
    .addOption(new Option('--log-level <level>', 'instead of what the configuration says').choices(levels))
    .option('--json', 'log JSON lines on a terminal too');
}

/** The configuration with the log level that was asked for on the command line. */
export function withLogLevel(config: Config, { logLevel }: LogArguments): Config {
  return logLevel === undefined ? config : { ...config, log: { ...config.log, level: logLevel } };
}

/**
 * Without a configuration that could be read, as without its `log`. Throws a StartError where the file can't be written
 * to.
 */
export function logFor(config: LogConfig | undefined, { json, logLevel = 'info' }: LogArguments): Log {
  const { level, file } = config ?? { level: logLevel };
  try {
    return createLog({ level, file, ...(json && { json }) });
  } catch (error) {
    throw error instanceof LogFileError ? new StartError(error.message, { cause: error }) : error;
  }
}
