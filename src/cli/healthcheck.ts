/** Asks a running sluice whether it is ready: what a container's HEALTHCHECK runs. */
import { request } from 'node:http';
import { Command } from 'commander';
import { formatAddress, parseBind } from '../config/addresses.ts';
import type { Address } from '../core/contract.ts';
import { configFile, configOption, readConfig } from './config-file.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';

interface HealthcheckArguments {
  readonly config?: string;
  readonly admin?: string;
}

const patienceMs = 3_000;

export function healthcheckCommand(ends: (code: ExitCode) => void): Command {
  return new Command('healthcheck')
    .description('Ask the admin API of a running sluice whether it is ready: exit code 0 if so, else 1')
    .option(...configOption)
    .option('--admin <address>', 'where the admin API listens (without it: as the configuration says)')
    .action(async (given: HealthcheckArguments) => {
      const admin = await adminAddress(given);
      if (admin === undefined) return ends(exitCodes.misused);
      const problem = await unreadiness(admin);
      if (problem === undefined) return ends(exitCodes.done);
      process.stderr.write(`sluice: ${formatAddress(admin)} is not ready: ${problem}\n`);
      ends(exitCodes.failed);
    });
}

async function adminAddress({ admin, config }: HealthcheckArguments): Promise<Address | undefined> {
  if (admin !== undefined) {
    const address = parseBind(admin);
    if (!address.ok) throw new UsageError(`--admin: Expected ${address.expected}, found "${admin}"`);
    return address.value;
  }
  const found = await readConfig(configFile(config));
  if (found === undefined) return undefined;
  if (found.admin === 'off')
    throw new UsageError('Expected an admin section in the configuration, found none');
  return found.admin.bind;
}

/** What is in the way, in a few words; undefined where it is ready. */
function unreadiness(admin: Address): Promise<string | undefined> {
  const where = 'path' in admin ? { socketPath: admin.path } : reachable(admin);
  return new Promise((resolve) => {
    request({ ...where, path: '/readyz', timeout: patienceMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `it answers ${response.statusCode}`);
    })
      .on('timeout', () => resolve(`no answer within ${patienceMs} ms`))
      .on('error', (error) => resolve(error.message))
      .end();
  });
}

/** A wildcard is no address to connect to; this machine's loopback is behind it. */
function reachable({ host, port }: { readonly host: string; readonly port: number }) {
  const loopback: Readonly<Record<string, string>> = { '::': '::1', '0.0.0.0': '127.0.0.1' };
  return { host: loopback[host] ?? host, port };
}
