/** What can be typed after `sluice`: one file a command, put together here. */
import { Command, CommanderError } from 'commander';
import { StartError } from '../service.ts';
import { version } from '../version.ts';
import { checkCommand } from './check/check.ts';
import { type CommandMaker, type ExitCode, exitCodes, UsageError } from './command.ts';
import { complete } from './completion/complete.ts';
import { completionCommand } from './completion/completion.ts';
import { demoCommand } from './demo/demo.ts';
import { explainCommand } from './explain/explain.ts';
import { forwardCommand } from './forward.ts';
import { healthcheckCommand } from './healthcheck.ts';
import { eventsCommand } from './operate/events.ts';
import { holdCommand, releaseCommand } from './operate/hold.ts';
import { reloadCommand } from './operate/reload.ts';
import { sessionsCommand } from './operate/sessions.ts';
import { drainCommand, maintCommand, readyCommand } from './operate/state.ts';
import { statusCommand } from './operate/status.ts';
import { weightCommand } from './operate/weight.ts';
import { hintFor, inOurWords } from './other-words.ts';
import { runCommand } from './run.ts';
import { schemaCommand } from './schema.ts';
import { topCommand } from './top/top.ts';

/** THE TABLE of commands, in the order of the help. */
const commands: readonly CommandMaker[] = [
  runCommand,
  checkCommand,
  explainCommand,
  forwardCommand,
  demoCommand,
  schemaCommand,
  completionCommand,
  healthcheckCommand,
  statusCommand,
  topCommand,
  drainCommand,
  readyCommand,
  maintCommand,
  weightCommand,
  holdCommand,
  releaseCommand,
  sessionsCommand,
  eventsCommand,
  reloadCommand,
];

/** Runs one command to its end and gives the exit code. What goes wrong is said on stderr. */
export async function program(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done;
  const ends = (code: ExitCode): void => {
    exitCode = code;
  };
  const words = inOurWords(argv.slice(2));
  const sluice = sluiceCommand(ends, words);
  // What the scripts of `sluice completion` ask; its words are no options of ours.
  if (words[0] === '__complete') {
    await complete(sluice, words.slice(1));
    return exitCodes.done;
  }
  try {
    const isCommand = sluice.commands.some((command) => command.name() === words[0]);
    const hint = isCommand ? undefined : hintFor(words);
    if (hint !== undefined) throw new UsageError(hint);
    await sluice.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (!(error instanceof StartError || error instanceof UsageError)) throw error;
    process.stderr.write(`sluice: ${error.message}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
  }
}

/** The program with all of its commands. */
export function sluiceCommand(ends: (code: ExitCode) => void, words: readonly string[]): Command {
  const sluice = new Command('sluice')
    .description('A load-balancing TCP reverse proxy')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // Two columns of text fit the usual 80 only if both may be narrow.
    .configureHelp({ subcommandTerm: (command) => command.name(), minWidthToWrap: 20 })
    .configureOutput({
      // What stands behind an unknown option may be a token.
      outputError: (text, write) =>
        write(text.replace(/^error: /, 'sluice: ').replace(/^(.*unknown option '[^'=]*)=[^']*/, '$1')),
    })
    .showHelpAfterError('(add --help for what can be given)')
    .exitOverride();
  for (const command of commands)
    sluice.addCommand(command(ends, words).exitOverride().copyInheritedSettings(sluice));
  return sluice;
}
