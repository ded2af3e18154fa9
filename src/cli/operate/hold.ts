/** Lets a pool's clients wait while its backends are restarted, and lets them go. */
import { Command, Option } from 'commander';
import { type ExitCode, UsageError, withNotes } from '../command.ts';
import { countOf } from '../config-file.ts';
import { type AdminClient, type ApiQuestion, apiPath } from './admin-client.ts';
import { act, durationOf, type ProxyArguments, print, printJson, withProxyOptions } from './proxy-options.ts';
import type { PoolStatus } from './status-text.ts';
import { waitUntilIdle } from './waiting.ts';

interface HoldArguments extends ProxyArguments {
  readonly for: string;
  readonly then?: string;
  readonly sessions?: string;
  readonly closeOver?: string;
  readonly clientTimeout?: string;
  readonly waitIdle?: true;
  readonly reason?: string;
}

export function holdCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('hold')
    .description("Let a pool's new clients wait, so that its backends can be restarted")
    .argument('<pool>', 'the pool')
    .requiredOption('--for <duration>', 'at most so long, up to 10m')
    .addOption(new Option('--then <what>', 'what follows then (resume)').choices(['resume', 'refuse']))
    .addOption(
      new Option('--sessions <what>', 'of those that there are (keep)').choices(['keep', 'drain', 'close']),
    )
    .option('--close-over <duration>', 'end them, spread over this time')
    .option('--client-timeout <duration>', 'how long each client may wait (30s)')
    .option('--wait-idle', 'until no session is left')
    .option('--reason <text>', 'shown wherever the hold is');
  withNotes(
    command,
    'Example: sluice hold db --for 1m --sessions close --wait-idle && restart-db; sluice release db',
  );
  return withProxyOptions(command).action((pool: string, given: HoldArguments) => {
    const hold = holdIn(given);
    return act(given, ends, async (client) => {
      let answer = await askPool(client, pool, { method: 'PATCH', body: { hold } });
      if (given.waitIdle) {
        await waitUntilIdle(client, pool, durationOf('--for', given.for));
        answer = await askPool(client, pool);
      }
      printPool(answer, given);
    });
  });
}

interface ReleaseArguments extends ProxyArguments {
  readonly rate?: string;
}

export function releaseCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('release')
    .description('End the hold of a pool: its clients go to backends, in the order in which they came')
    .argument('<pool>', 'the pool')
    .option('--rate <number>', 'so many a second (all at once)');
  return withProxyOptions(command).action((pool: string, given: ReleaseArguments) => {
    const rate = given.rate === undefined ? undefined : rateIn(given.rate);
    return act(given, ends, async (client) =>
      printPool(await askPool(client, pool, { method: 'PATCH', body: { release: { rate } } }), given),
    );
  });
}

type PoolAnswer = PoolStatus & { readonly pool: string };

async function askPool(client: AdminClient, pool: string, question?: ApiQuestion): Promise<PoolAnswer> {
  return (await client.ask<PoolAnswer>(apiPath('pools', pool), question)).body;
}

/** In the form of the API. Throws a UsageError. */
function holdIn({ for: forText, then, sessions, closeOver, clientTimeout, reason }: HoldArguments): object {
  durationOf('--for', forText);
  if (clientTimeout !== undefined) durationOf('--client-timeout', clientTimeout);
  if (closeOver !== undefined) durationOf('--close-over', closeOver);
  if (closeOver !== undefined && sessions !== undefined)
    throw new UsageError('--close-over: Expected no --sessions beside it, found both');
  return {
    ...{ for: forText, then, timeout: clientTimeout, reason },
    sessions: closeOver === undefined ? sessions : { over: closeOver },
  };
}

function rateIn(text: string): number {
  const rate = /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (rate > 0) return rate;
  throw new UsageError(`--rate: Expected a number above 0, found "${text}"`);
}

function printPool(answer: PoolAnswer, { json }: ProxyArguments): void {
  if (json) printJson(answer);
  else print([poolText(answer)]);
}

function poolText({ pool, hold, active, queue }: PoolAnswer): string {
  const how =
    hold === null ? 'serves' : hold.phase === 'held' ? `held until ${hold.until}` : 'releases who waits';
  return `${pool}: ${how}, ${countOf(active, 'session')}, ${queue} waiting`;
}
