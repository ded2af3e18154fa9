import { Argument, Command } from 'commander';
import { withNotes } from '../command.ts';
import { shells } from './shells.ts';

export function completionCommand(): Command {
  const command = new Command('completion')
    .description('Print a script for a shell that completes commands, options, pools and backends')
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(shells)));
  withNotes(
    command,
    'In bash: source <(sluice completion bash)\nIn zsh: source <(sluice completion zsh)\nIn fish: sluice completion fish | source',
    'Names are asked of the running sluice, else taken from the configuration.',
  );
  return command.action((shell: keyof typeof shells) => void process.stdout.write(shells[shell]));
}
