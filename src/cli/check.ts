import { Command } from 'commander';
import { formatAddress, formatTarget } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { formatDuration } from '../config/durations.ts';
import { workerCount } from '../control/worker-count.ts';
import type { AccessPolicy } from '../core/access/access-policy.ts';
import { chooseDriver, type DriverChoice } from '../drivers/drivers.ts';
import { configFile, configOption, readConfig } from './config-file.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface CheckArguments {
  readonly config?: string;
  readonly json?: true;
}

export function checkCommand(ends: (code: ExitCode) => void): Command {
  return new Command('check')
    .description('Check a configuration without binding anything, and print what it would run')
    .option(...configOption)
    .option('--json', 'print it as JSON, with every default filled in')
    .action(async (given: CheckArguments) => {
      const config = await readConfig(configFile(given.config));
      if (config === undefined) return ends(exitCodes.misused);
      const driver = chooseDriver(config.driver);
      process.stdout.write(given.json ? asJson(config, driver) : asText(config, driver));
      ends(driver.module === undefined ? exitCodes.failed : exitCodes.done);
    });
}

function asText(config: Config, { module, why }: DriverChoice): string {
  const lines = [
    module === undefined
      ? `driver    ${config.driver}, which does not run here: ${why}`
      : `driver    ${module.name}, because ${why}; ${countOf(workerCount(config.workers, module), 'worker')}`,
    ...config.listeners.map(
      ({ name, bind, pool, policy }) =>
        `listener  ${name} on ${bind.map(formatAddress).join(', ')} to pool ${pool}${accessText(policy.access)}`,
    ),
    ...config.pools.flatMap(({ name, policy, backends, healthCheck }) => [
      `pool      ${name}, ${policy.balance}, ${
        healthCheck === undefined
          ? 'not health-checked'
          : `${healthCheck.probe.type} check every ${formatDuration(healthCheck.intervalMs)}`
      }`,
      ...backends.map(
        ({ target, weight, backup }) =>
          `          ${formatTarget(target)}, weight ${weight}${backup ? ', backup' : ''}`,
      ),
    ]),
    `admin     ${config.admin === 'off' ? 'off' : formatAddress(config.admin.bind)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Of lists that may be long, how long they are. */
function accessText({ allow, deny }: AccessPolicy): string {
  const lists = [
    allow && `allows ${countOf(allow.ranges, 'network')}`,
    deny && `denies ${countOf(deny.ranges, 'network')}`,
  ];
  return lists.map((list) => (list === undefined ? '' : `, ${list}`)).join('');
}

/**
 * JSON has no Infinity: it is written as in the configuration file. A token is nobody's business, and the words
 * of a compiled list tell nobody anything.
 */
function asJson(config: Config, driver: DriverChoice): string {
  const seen = { ...config, driver: driver.module?.name ?? null, driverReason: driver.why };
  const replace = (key: string, value: unknown): unknown => {
    if (value === Number.POSITIVE_INFINITY) return 'unlimited';
    if (ArrayBuffer.isView(value)) return undefined;
    return key === 'token' && value !== undefined ? '(hidden)' : value;
  };
  return `${JSON.stringify(seen, replace, 2)}\n`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
