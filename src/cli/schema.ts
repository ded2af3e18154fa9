import { Command } from 'commander';
import { configSchema } from '../config/options/config.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description("Print the configuration's JSON Schema, for editors and other tools")
    .action(() => void process.stdout.write(`${JSON.stringify(configSchema, undefined, 2)}\n`));
}
