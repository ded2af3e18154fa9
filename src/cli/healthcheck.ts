/** Asks a running sluice whether it is ready: what a container's HEALTHCHECK runs. */
import { request } from 'node:http';
import { Command } from 'commander';
import { formatAddress } from '../config/addresses.ts';
import type { Address } from '../core/contract.ts';
import { adminAddress, connectionTo } from './admin-address.ts';
import { type ExitCode, exitCodes } from './command.ts';
import { type ConfigArguments, configFile, withConfigFile } from './config-file.ts';

interface HealthcheckArguments extends ConfigArguments {
  readonly admin?: string;
}

const timeoutMs = 3_000;

export function healthcheckCommand(ends: (code: ExitCode) => void): Command {
  return withConfigFile(new Command('healthcheck'))
    .description('Ask the admin API of a running sluice whether it is ready: exit code 0 if so, else 1')
    .option('--admin <address>', 'where the admin API listens (without it: as the configuration says)')
    .action(async (argument: string | undefined, given: HealthcheckArguments) => {
      const isNamed = argument !== undefined || given.config !== undefined;
      const file = isNamed ? configFile(argument, given) : undefined;
      const { address, guess } = await adminAddress({ admin: given.admin, file });
      const problem = await unreadiness(address);
      if (problem === undefined) return ends(exitCodes.done);
      const because = guess === undefined ? '' : ` (asked there because ${guess})`;
      process.stderr.write(`sluice: ${formatAddress(address)} is not ready: ${problem}${because}\n`);
      ends(exitCodes.failed);
    });
}

/** Why it is not ready, in a few words; undefined where it is. */
function unreadiness(admin: Address): Promise<string | undefined> {
  // For the whole answer: a server that sends a byte now and then is not ready either.
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve) => {
    request({ ...connectionTo(admin), path: '/readyz', signal }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `it answers ${response.statusCode}`);
    })
      .on('error', (error) => resolve(signal.aborted ? `no answer within ${timeoutMs} ms` : error.message))
      .end();
  });
}
