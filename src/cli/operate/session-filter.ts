/** Which sessions a command is about. */
import { type Command, Option } from 'commander';
import { parseNetwork } from '../../config/networks.ts';
import { parseSize } from '../../config/sizes.ts';
import { sessionStates } from '../../core/session-list.ts';
import { UsageError } from '../command.ts';
import { durationOf } from './proxy-options.ts';

/** As they were typed. */
export interface SessionFilterArguments {
  readonly listener?: string;
  readonly pool?: string;
  readonly backend?: string;
  readonly client?: string;
  readonly state?: string;
  readonly olderThan?: string;
  readonly idleFor?: string;
  readonly minBytes?: string;
}

/** Those that were given, in the form of the API's query: `minBytes` is a number. */
export type SessionQuestion = SessionFilterArguments;

export function withSessionFilter(command: Command): Command {
  return command
    .option('--listener <name>', 'only those of this listener')
    .option('--pool <name>', 'only those of this pool')
    .option('--backend <address>', 'only those of this backend, as the configuration writes it or an address')
    .option('--client <network>', 'only those of these clients, as in 10.0.0.0/8')
    .addOption(new Option('--state <state>', 'only those in this state').choices(sessionStates))
    .option('--older-than <duration>', 'only those that have been open for so long')
    .option('--idle-for <duration>', 'only those without a byte for so long')
    .option('--min-bytes <size>', 'only those that have moved so many, as in 1MiB');
}

/** Throws a UsageError. */
export function filterIn(given: SessionFilterArguments): SessionQuestion {
  const { listener, pool, backend, client, state, olderThan, idleFor, minBytes } = given;
  if (olderThan !== undefined) durationOf('--older-than', olderThan);
  if (idleFor !== undefined) durationOf('--idle-for', idleFor);
  const network = client === undefined ? undefined : parseNetwork(client);
  if (network?.ok === false)
    throw new UsageError(`--client: Expected ${network.expected}, found "${client}"`);
  const bytes = minBytes === undefined ? undefined : bytesIn(minBytes);
  const filter = { listener, pool, backend, client, state, olderThan, idleFor, minBytes: bytes };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function bytesIn(text: string): string {
  const size = parseSize(/^\d+$/.test(text) ? Number(text) : text);
  if (size.ok && size.value > 0) return String(size.value);
  throw new UsageError(
    `--min-bytes: Expected ${size.ok ? 'a size above 0' : size.expected}, found "${text}"`,
  );
}
