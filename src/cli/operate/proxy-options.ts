/** What all commands have in common that talk to a running proxy. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { meantDuration, parseDuration } from '../../config/durations.ts';
import { systemErrorText } from '../../config/named-files.ts';
import { adminAddress } from '../admin-address.ts';
import { type ExitCode, exitCodes, UsageError } from '../command.ts';
import { AdminClient, RefusedError } from './admin-client.ts';

export interface ProxyArguments {
  readonly admin?: string;
  readonly config?: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

/** Gives a command the options that say which proxy, and in which form it prints. */
export function withProxyOptions(command: Command): Command {
  return command
    .helpGroup('Commands to a running sluice:')
    .option('--admin <address>', 'where the admin API listens (SLUICE_ADMIN, or as the file says)')
    .option('-c, --config <file>', 'the configuration that says so')
    .option('--token-file <file>', 'what has the token of the admin API (or SLUICE_ADMIN_TOKEN)')
    .option('--json', 'print the answer as JSON');
}

/** Rejects with a UsageError. */
async function clientFor(given: ProxyArguments): Promise<AdminClient> {
  const found = await adminAddress({ admin: given.admin, file: given.config });
  // A change must not reach another proxy than the one that was meant.
  if (given.config !== undefined && found.guess !== undefined) {
    throw new UsageError(`Expected a configuration that tells admin.bind behind -c: ${found.guess}`);
  }
  return new AdminClient({ ...found, token: tokenFor(given) ?? found.token });
}

/** The one that an option or the environment has. Throws a UsageError. */
export function tokenFor({ tokenFile }: Pick<ProxyArguments, 'tokenFile'>): string | undefined {
  if (tokenFile === undefined) return process.env['SLUICE_ADMIN_TOKEN'] || undefined;
  const token = textOfFile(tokenFile).trim();
  if (/^[!-~]+$/.test(token)) return token;
  throw new UsageError(`--token-file: Expected a token of printable ASCII without spaces in ${tokenFile}`);
}

function textOfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file: Expected a file that can be read: ${systemErrorText(error)}`);
  }
}

/**
 * Does what a command is asked to, and ends it: with 1 where that is refused. Of a refusal, `--json` has the proxy's
 * answer on stdout too.
 */
export async function act(
  given: ProxyArguments,
  ends: (code: ExitCode) => void,
  action: (client: AdminClient) => Promise<void>,
): Promise<void> {
  process.stdout.on('error', ignoreEarlyEnd);
  try {
    await action(await clientFor(given));
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (given.json && error.answer !== undefined) printJson(error.answer.body);
    process.stderr.write(`sluice: ${error.message}\n`);
    ends(exitCodes.failed);
  }
}

/** The reader may close the pipe early, as in `sluice sessions | head`. */
function ignoreEarlyEnd(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

export function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** A duration that was given as an option, in milliseconds. Throws a UsageError. */
export function durationOf(option: string, text: string): number {
  const duration = parseDuration(text);
  if (duration.ok) return duration.value;
  const meant = meantDuration(text, 'positive');
  const guess = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new UsageError(`${option}: Expected ${duration.expected}, found "${text}"${guess}`);
}
