import { type Command, Option } from 'commander';
import type { Config, LogConfig } from '../config/config.ts';
import { createLog, type Log } from '../telemetry/log.ts';

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

export function logFor(config: Config, { json }: LogArguments): Log {
  return createLog({ level: config.log.level, ...(json && { json }) });
}
