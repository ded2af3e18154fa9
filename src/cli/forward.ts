import { Command } from 'commander';
import { expectedBind, expectedTarget, meantTargets, parseBind, parseTarget } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { orList } from '../config/options/terms.ts';
import { balances } from '../core/balancers/table.ts';
import { type ExitCode, UsageError, withNotes } from './command.ts';
import { type LogArguments, logFor, withLogLevel, withLogOptions } from './log-options.ts';
import { isPort, onLoopback } from './ports.ts';
import { serve } from './serve.ts';

interface ForwardArguments extends LogArguments {
  readonly balance: string;
  readonly connectTimeout?: string;
  readonly idleTimeout?: string;
  readonly retries?: string;
  readonly maxConnections?: string;
  readonly admin?: string | true | undefined;
}

export function forwardCommand(ends: (code: ExitCode) => void, words: readonly string[]): Command {
  // Both are optional for commander, as `--admin` may have taken the one that is missing.
  const command = new Command('forward')
    .description('Forward a port without a configuration file')
    .usage('[options] <listen> <target...>')
    .argument(
      '[listen]',
      'where to listen: 8080 (on loopback), :8080 (on every interface), 10.0.0.1:8080, unix:/path',
    )
    .argument('[target...]', 'where to: 10.0.0.5:80, db.internal:5432, 9000 (on loopback), unix:/path')
    .option('--balance <how>', `how to choose among the targets: ${orList(balances)}`, balances[0])
    .option('--connect-timeout <duration>', 'for each dial (2s)')
    .option('--idle-timeout <duration>', 'without a byte in either direction (10m)')
    .option('--retries <count>', 'further dials after one that failed (2)')
    .option('--max-connections <count>', 'at once; more are refused (unlimited)')
    .option('--admin [address]', 'with the admin API (127.0.0.1:9900)');
  withNotes(command, 'Example: sluice forward 8080 10.0.0.5:80 10.0.0.6:80 --connect-timeout 1s');
  return withLogOptions(command).action(
    async (listen: string | undefined, targets: string[], given: ForwardArguments) => {
      const { admin, operands } = operandsOf(
        words,
        [...(listen === undefined ? [] : [listen]), ...targets],
        given,
      );
      const config = withLogLevel(forwardConfig(operands, { ...given, admin }), given);
      ends(await (await serve({ config, log: logFor(config.log, given) })).ended);
    },
  );
}

interface Operands {
  readonly operands: readonly string[];
  readonly admin: string | true | undefined;
}

/**
 * `--admin` takes the word behind it for its value, which is meant for the first operand where an operand is missing.
 * Where none is, a port behind it may be either.
 */
function operandsOf(
  words: readonly string[],
  operands: readonly string[],
  { admin }: ForwardArguments,
): Operands {
  const at = words.indexOf('--admin');
  if (typeof admin !== 'string' || at < 0) return { operands, admin };
  const isFirst = operands[0] === undefined || at < words.lastIndexOf(operands[0]);
  if (operands.length < 2) {
    return { operands: isFirst ? [admin, ...operands] : [...operands, admin], admin: true };
  }
  if (isFirst && isPort(admin)) {
    throw new UsageError(
      `--admin: Expected its address behind "=", or --admin at the end, found ${admin}, which may also be where to listen`,
    );
  }
  return { operands, admin };
}

/** The arguments as a configuration. Throws a UsageError that names the argument. */
function forwardConfig([listen, ...targets]: readonly string[], given: ForwardArguments): Config {
  if (listen === undefined || targets.length === 0) {
    const found = listen === undefined ? 'neither' : `"${listen}" alone`;
    throw new UsageError(
      `Expected where to listen and where to forward to, as in "sluice forward 8080 10.0.0.5:80", found ${found}`,
    );
  }
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
    ...(given.admin !== undefined && {
      admin: given.admin === true ? {} : { bind: onLoopback(given.admin) },
    }),
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
  'pools.targets.balance': '--balance',
  'pools.targets.backends': '<target>',
  'admin.bind': '--admin',
};

function argumentAt(path: string): string {
  return argumentOf[path.replace(/\[[0-9]+\]$/, '')] ?? path;
}

function listenAddress(text: string): string {
  const address = onLoopback(text);
  const read = parseBind(address);
  if (read.ok) return address;
  const expected = read.expected === expectedBind ? `a port, or ${expectedBind}` : read.expected;
  throw new UsageError(`<listen>: Expected ${expected}, found "${text}"`);
}

function targetAddress(text: string): string {
  const address = onLoopback(text);
  const read = parseTarget(address);
  if (read.ok) return address;
  const expected = read.expected === expectedTarget ? `a port, or ${expectedTarget}` : read.expected;
  const meant = meantTargets(text).join(' ');
  const guess = meant === '' ? '' : `; did you mean ${meant}?`;
  throw new UsageError(`<target>: Expected ${expected}, found "${text}"${guess}`);
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
