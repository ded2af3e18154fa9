import { Command } from 'commander';
import { chooseDriver } from '../drivers/drivers.ts';
import { asJson, asText } from './check-report.ts';
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
      if (config === undefined) return ends(exitCodes.usage);
      const driver = chooseDriver(config.driver);
      process.stdout.write(given.json ? asJson(config, driver) : asText(config, driver));
      ends(driver.module === undefined ? exitCodes.failed : exitCodes.done);
    });
}
