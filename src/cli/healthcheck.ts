/** Asks a running sluice whether it is ready: what a container's HEALTHCHECK runs. */
import { request } from 'node:http';
import { Command } from 'commander';
import { formatAddress } from '../config/addresses.ts';
import { adminBindIn } from '../config/admin-bind.ts';
import { configText } from '../config/load.ts';
import { defaultAdminBind } from '../config/options/admin.ts';
import type { Address } from '../core/contract.ts';
import { type ExitCode, exitCodes, UsageError } from './command.ts';
import { type ConfigArguments, configFile, usualFile, withConfigFile } from './config-file.ts';
import { adminAddressIn } from './ports.ts';

interface HealthcheckArguments extends ConfigArguments {
  readonly admin?: string;
}

const timeoutMs = 3_000;

export function healthcheckCommand(ends: (code: ExitCode) => void): Command {
  return withConfigFile(new Command('healthcheck'))
    .description('Ask the admin API of a running sluice whether it is ready: exit code 0 if so, else 1')
    .option('--admin <address>', 'where the admin API listens (without it: as the configuration says)')
    .action(async (argument: string | undefined, given: HealthcheckArguments) => {
      const { address, guess } = await adminAddress(argument, given);
      const problem = await unreadiness(address);
      if (problem === undefined) return ends(exitCodes.done);
      const because = guess === undefined ? '' : ` (asked there because ${guess})`;
      process.stderr.write(`sluice: ${formatAddress(address)} is not ready: ${problem}${because}\n`);
      ends(exitCodes.failed);
    });
}

interface ProxyAddress {
  readonly address: Address;
  /** Why it is only a guess. */
  readonly guess?: string;
}

/** Nothing else of the file matters: what is wrong with it does not make a proxy sick that runs. */
async function adminAddress(
  argument: string | undefined,
  given: HealthcheckArguments,
): Promise<ProxyAddress> {
  if (given.admin !== undefined) return { address: adminAddressIn(given.admin) };
  if (argument === undefined && given.config === undefined && usualFile() === undefined) {
    return { address: defaultAdminBind, guess: 'no configuration was found that says where' };
  }
  const file = configFile(argument, given);
  const found = await configText(file).then(
    (text) => adminBindIn(text, process.env),
    () => ({ kind: 'unknown' }) as const,
  );
  if (found.kind === 'off') {
    throw new UsageError(
      `Expected an admin section in ${file}, found none; add "admin: {}", or name --admin`,
    );
  }
  if (found.kind === 'at') return { address: found.address };
  return { address: defaultAdminBind, guess: `${file} does not tell admin.bind` };
}

/** Why it is not ready, in a few words; undefined where it is. */
function unreadiness(admin: Address): Promise<string | undefined> {
  const where = 'path' in admin ? { socketPath: admin.path } : reachable(admin);
  // For the whole answer: a server that sends a byte now and then is not ready either.
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve) => {
    request({ ...where, path: '/readyz', signal }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `it answers ${response.statusCode}`);
    })
      .on('error', (error) => resolve(signal.aborted ? `no answer within ${timeoutMs} ms` : error.message))
      .end();
  });
}

/** A wildcard is no address to connect to; this machine's loopback is behind it. */
function reachable({ host, port }: { readonly host: string; readonly port: number }) {
  const loopback: Readonly<Record<string, string>> = { '::': '::1', '0.0.0.0': '127.0.0.1' };
  return { host: loopback[host] ?? host, port };
}
