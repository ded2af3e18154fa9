import { Command } from 'commander';
import { formatAddress, formatTarget } from '../config/addresses.ts';
import { type OwnCertificate, ownCertificates } from '../config/certificates.ts';
import type { Config, ListenerConfig, RouteConfig } from '../config/config.ts';
import { formatDuration } from '../config/durations.ts';
import { secrets } from '../config/options/config.ts';
import { orList } from '../config/options/terms.ts';
import { workerCount } from '../control/workers/sizes.ts';
import type { AccessPolicy } from '../core/access/access-policy.ts';
import { chooseDriver, type DriverChoice } from '../drivers/drivers.ts';
import { type ExitCode, exitCodes } from './command.ts';
import { type ConfigArguments, configFile, countOf, readConfig, withConfigFile } from './config-file.ts';

interface CheckArguments extends ConfigArguments {
  readonly json?: true;
}

export function checkCommand(ends: (code: ExitCode) => void): Command {
  return withConfigFile(new Command('check'))
    .description('Check a configuration without binding anything, and print what it would run')
    .option('--json', 'print it as JSON, with every default filled in')
    .action(async (argument: string | undefined, given: CheckArguments) => {
      const config = await readConfig(configFile(argument, given));
      if (config === undefined) return ends(exitCodes.usage);
      const driver = chooseDriver(config.driver);
      process.stdout.write(given.json ? asJson(config, driver) : asText(config, driver));
      ends(driver.module === undefined ? exitCodes.failed : exitCodes.done);
    });
}

function asText(config: Config, { module, why }: DriverChoice): string {
  const certificates = ownCertificates(config);
  const lines = [
    module === undefined
      ? `driver    ${config.driver}, which does not run here: ${why}`
      : `driver    ${module.name}, because ${why}; ${countOf(workerCount(config.workers, module), 'worker')}`,
    ...config.listeners.flatMap((listener) => [
      ...listenerLines(listener),
      ...certificateLines(certificates, ({ of }) => 'listener' in of && of.listener === listener.name),
    ]),
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
      ...certificateLines(certificates, ({ of }) => 'pool' in of && of.pool === name),
    ]),
    `admin     ${config.admin === 'off' ? 'off' : formatAddress(config.admin.bind)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function listenerLines({ name, bind, pool, routes, policy }: ListenerConfig): readonly string[] {
  const { access, proxyProtocol, tls } = policy;
  const traits = [
    `listener  ${name} on ${bind.map(formatAddress).join(', ')}${pool === undefined ? '' : ` to pool ${pool}`}`,
    ...accessTexts(access),
    ...(proxyProtocol === 'off' ? [] : [`PROXY protocol ${proxyProtocol.mode}`]),
    ...(tls === 'off' ? [] : [`TLS with ${countOf(tls.certificates.length, 'certificate')}`]),
  ];
  return [traits.join(', '), ...routes.map((route) => `          ${routeText(route)}`)];
}

/** With the day after which each is of no use. */
function certificateLines(
  certificates: readonly OwnCertificate[],
  isShown: (certificate: OwnCertificate) => boolean,
): readonly string[] {
  return certificates
    .filter(isShown)
    .map(({ name, notAfterMs }) => `          certificate for ${name}, good until ${isoDay(notAfterMs)}`);
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function routeText({ when, to }: RouteConfig): string {
  const { client, ...lists } = when;
  const conditions = Object.entries(lists).flatMap(([key, values]) =>
    values === undefined ? [] : [`${key} is ${orList(values)}`],
  );
  if (client !== undefined) conditions.push(`client is in ${countOf(client.ranges, 'network')}`);
  const condition = conditions.length === 0 ? 'always' : `when ${conditions.join(' and ')}`;
  const pools =
    to.length === 1 ? to.map(({ pool }) => pool) : to.map(({ pool, weight }) => `${pool}:${weight}`);
  return `${condition}, to pool ${pools.join(' ')}`;
}

/** Lists may be long: only their length is told. */
function accessTexts({ allow, deny }: AccessPolicy): readonly string[] {
  return [
    ...(allow === undefined ? [] : [`allows ${countOf(allow.ranges, 'network')}`]),
    ...(deny === undefined ? [] : [`denies ${countOf(deny.ranges, 'network')}`]),
  ];
}

/**
 * JSON has no Infinity: it is written as in the configuration file. Secrets are nobody's business, and the words
 * of a compiled list tell nobody anything.
 */
export function asJson(config: Config, driver: DriverChoice): string {
  const certificates = ownCertificates(config).map(({ of, name, notAfterMs }) => ({
    ...of,
    name,
    expires: new Date(notAfterMs).toISOString(),
  }));
  const seen = { ...config, driver: driver.module?.name ?? null, driverReason: driver.why, certificates };
  const replace = (key: string, value: unknown): unknown => {
    if (value === Number.POSITIVE_INFINITY) return 'unlimited';
    if (ArrayBuffer.isView(value)) return undefined;
    return secrets.keys.has(key) && value !== undefined ? '(hidden)' : value;
  };
  return `${JSON.stringify(seen, replace, 2)}\n`;
}
