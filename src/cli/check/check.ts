import { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { chooseDriver } from '../../drivers/drivers.ts';
import { type ExitCode, exitCodes } from '../command.ts';
import { type ConfigArguments, configFile, countOf, usable, withConfigFile } from '../config-file.ts';
import { type Checked, checked } from './checked.ts';
import { asJson } from './json.ts';
import { asText } from './text.ts';

interface CheckArguments extends ConfigArguments {
  readonly json?: true;
}

export function checkCommand(ends: (code: ExitCode) => void): Command {
  return withConfigFile(new Command('check'))
    .description('Check a configuration without binding anything, and print what it would run')
    .option('--json', 'print it as JSON, with every default filled in')
    .action(async (argument: string | undefined, given: CheckArguments) => {
      const loaded = await loadConfig(configFile(argument, given), process.env);
      const config = usable(loaded);
      if (config === undefined) return ends(exitCodes.usage);
      const found = checked(config, chooseDriver(config.driver));
      const verdict = verdictOf(loaded.ok ? loaded.warnings.length : 0, found);
      if (given.json) {
        process.stdout.write(asJson(found));
        process.stderr.write(`${verdict}\n`);
      } else process.stdout.write(`${asText(found)}${verdict}\n`);
      ends(found.driver.module === undefined ? exitCodes.failed : exitCodes.done);
    });
}

function verdictOf(warnings: number, { config, driver }: Checked): string {
  return [
    'valid',
    ...(warnings === 0 ? [] : [countOf(warnings, 'warning')]),
    ...(driver.module === undefined ? [`but driver ${config.driver} does not run here`] : []),
  ].join(', ');
}
