import { Command, Option } from 'commander';
import { expectedTarget, parseBind, parseTarget } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { balances } from '../core/balancers/table.ts';
import { type ExitCode, UsageError } from './command.ts';
import { type LogArguments, logFor, withLogLevel, withLogOptions } from './log-options.ts';
import { serve } from './serve.ts';

interface ForwardArguments extends LogArguments {
  readonly balance: string;
  readonly connectTimeout?: string;
  readonly idleTimeout?: string;
  readonly retries?: string;
  readonly maxConnections?: string;
  readonly admin?: string | true;
}

export function forwardCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('forward')
    .description('Forward a port without a configuration file')
    .argument(
      '<listen>',
      'where to listen: 8080 (on loopback), :8080 (on every interface), 10.0.0.1:8080, unix:/path',
    )
    .argument('<target...>', 'where to: 10.0.0.5:80, db.internal:5432, 9000 (on loopback), unix:/path')
    .addOption(
      new Option('--balance <how>', 'how to choose among the targets').choices(balances).default(balances[0]),
    )
    .option('--connect-timeout <duration>', 'for each dial (2s)')
    .option('--idle-timeout <duration>', 'without a byte in either direction (10m)')
    .option('--retries <count>', 'further dials after one that failed (2)')
    .option('--max-connections <count>', 'at once; more are refused (unlimited)')
    .option('--admin [address]', 'with the admin API (127.0.0.1:9900)')
    .addHelpText(
      'after',
      '\nExample: sluice forward 8080 10.0.0.5:80 10.0.0.6:80 --balance least-connections',
    );
  return withLogOptions(command).action(
    async (listen: string, targets: string[], given: ForwardArguments) => {
      const config = withLogLevel(forwardConfig(listen, targets, given), given);
      ends(await (await serve({ config, log: logFor(config, given) })).ended);
    },
  );
}

/** The arguments as a configuration. Throws a UsageError that names the argument. */
function forwardConfig(listen: string, targets: readonly string[], given: ForwardArguments): Config {
  const document = {
    version: 1,
    listeners: {
      forward: {
        bind: listenAddress(listen),
        pool: 'targets',
        ...sectionOf('limits', { maxConnections: integer(given.maxConnections) }),
        ...sectionOf('timeouts', { idle: given.idleTimeout }),
      },
    },
    pools: {
      targets: {
        balance: given.balance,
        backends: targets.map(targetAddress),
        ...sectionOf('connect', { timeout: given.connectTimeout, retries: integer(given.retries) }),
      },
    },
    ...(given.admin !== undefined && { admin: given.admin === true ? {} : { bind: given.admin } }),
  };
  // Nothing on the command line is a reference to the environment: the shell has done that.
  const text = JSON.stringify(document).replaceAll('${', '$${');
  const loaded = parseConfig(text, { file: 'command line', env: {} });
  if (loaded.ok) return loaded.config;
  throw new UsageError(
    loaded.issues.map(({ path, message }) => `${argumentAt(path)}: ${message}`).join('\nsluice: '),
  );
}

const argumentOf: Readonly<Record<string, string>> = {
  'listeners.forward.bind': '<listen>',
  'listeners.forward.timeouts.idle': '--idle-timeout',
  'listeners.forward.limits.maxConnections': '--max-connections',
  'pools.targets.connect.timeout': '--connect-timeout',
  'pools.targets.connect.retries': '--retries',
  'pools.targets.backends': '<target>',
  'admin.bind': '--admin',
};

function argumentAt(path: string): string {
  return argumentOf[path.replace(/\[[0-9]+\]$/, '')] ?? path;
}

function listenAddress(text: string): string {
  const address = isPort(text) ? `127.0.0.1:${text}` : text;
  const read = parseBind(address);
  if (!read.ok) throw new UsageError(`<listen>: Expected a port or ${read.expected}, found "${text}"`);
  return address;
}

function targetAddress(text: string): string {
  const address = isPort(text) ? `127.0.0.1:${text}` : text;
  const read = parseTarget(address);
  if (!read.ok) throw new UsageError(`<target>: Expected a port or ${expectedTarget}, found "${text}"`);
  return address;
}

function isPort(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

/** A text that is no number is left as it is: the configuration says what is wrong with it. */
function integer(text: string | undefined): number | string | undefined {
  return text !== undefined && isPort(text) ? Number(text) : text;
}

/** A section of those values that were given; no section where none was. */
function sectionOf(section: string, values: Readonly<Record<string, unknown>>): object {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { [section]: Object.fromEntries(given) };
}
