/** What a command is, and how it ends. */
import type { Command } from 'commander';

/**
 * Makes a command, which calls `ends` with its exit code; without that, all went well. `words` are all that were typed.
 */
export type CommandMaker = (ends: (code: ExitCode) => void, words: readonly string[]) => Command;

/** 0: done, a graceful stop included. 1: failed at run time. 2: wrong configuration or usage. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A mistake in the arguments, said in a sentence. */
export class UsageError extends Error {}

/** Adds paragraphs to a command's help, wrapped as the rest of it. */
export function withNotes(command: Command, ...notes: readonly string[]): Command {
  return command.addHelpText('after', () => {
    const columns = process.stdout.columns ?? 80;
    return `\n${notes.map((note) => command.createHelp().boxWrap(note, columns)).join('\n')}`;
  });
}
