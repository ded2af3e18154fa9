import { Command, Option } from 'commander';
import { type ExitCode, UsageError, withNotes } from '../command.ts';
import { countOf } from '../config-file.ts';
import { paperOf, textTable } from '../text-table.ts';
import { type AdminClient, apiPath, RefusedError } from './admin-client.ts';
import { act, durationOf, type ProxyArguments, print, printJson, withProxyOptions } from './proxy-options.ts';
import { type ListedSessions, sessionColumns } from './session-columns.ts';
import {
  filterIn,
  type SessionFilterArguments,
  type SessionQuestion,
  withSessionFilter,
} from './session-filter.ts';

interface SessionsArguments extends ProxyArguments, SessionFilterArguments {
  readonly sort?: string;
  readonly limit?: string;
  readonly close?: true;
  readonly all?: true;
  readonly how?: string;
  readonly over?: string;
  readonly reason?: string;
}

export function sessionsCommand(ends: (code: ExitCode) => void): Command {
  const command = withSessionFilter(new Command('sessions'))
    .description('List open sessions of a running sluice, or end them')
    .argument('[id...]', 'with --close, only these')
    .addOption(new Option('--sort <order>', 'the most first').choices(['age', 'idle', 'bytes']))
    .option('--limit <count>', 'at most so many (100 in a list)')
    .option('--close', 'end them')
    .option('--all', 'with --close, without a filter')
    .addOption(new Option('--how <how>', 'with --close').choices(['reset', 'fin']))
    .option('--over <duration>', 'with --close, spread over this time')
    .option('--reason <text>', 'with --close, for the log');
  withNotes(command, 'What is ended has the reason "operator" in the log and the metrics.');
  return withProxyOptions(command).action((ids: readonly string[], given: SessionsArguments) => {
    const filter = filterIn(given);
    const limit = given.limit === undefined ? undefined : countIn('--limit', given.limit);
    checkUse(ids, filter, given);
    return act(given, ends, async (client) => {
      if (!given.close) await list(client, filter, given);
      else if (ids.length > 0) await endEach(client, ids, given);
      else await endAll(client, filter, limit, given);
    });
  });
}

function countIn(option: string, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`${option}: Expected an integer from 1 on, found "${text}"`);
}

/** A filter is required, so that a forgotten option does not end all sessions. */
function checkUse(ids: readonly string[], filter: SessionQuestion, given: SessionsArguments): void {
  const ways = [ids.length > 0, Object.keys(filter).length > 0, given.all].filter(Boolean).length;
  if (given.close && ways === 0)
    throw new UsageError('--close: Expected which sessions to end: ids, a filter such as --pool, or --all');
  if (given.close && ways > 1)
    throw new UsageError('--close: Expected ids, a filter or --all, found more than one of them');
  if (given.over !== undefined) durationOf('--over', given.over);
  if (given.close) return;
  const misplaced = (['all', 'how', 'over', 'reason'] as const).find((key) => given[key] !== undefined);
  if (misplaced !== undefined) throw new UsageError(`--${misplaced}: Expected --close beside it, found none`);
  if (ids.length > 0)
    throw new UsageError(`Expected --close beside the id of a session, found ${ids[0]} alone`);
}

async function list(client: AdminClient, filter: SessionQuestion, given: SessionsArguments): Promise<void> {
  const query = { ...filter, sort: given.sort, limit: given.limit };
  const { body } = await client.ask<ListedSessions>(apiPath('sessions'), { query });
  if (given.json) return printJson(body);
  print(textTable(body.sessions, sessionColumns, paperOf(process.stdout, false)));
  if (body.cursor !== null) process.stderr.write('there are more: see --limit (at most 10000)\n');
}

async function endEach(client: AdminClient, ids: readonly string[], given: SessionsArguments): Promise<void> {
  const gone: string[] = [];
  for (const id of ids) {
    const { status } = await client.ask(apiPath('sessions', id), { method: 'DELETE' }, [404]);
    if (status === 404) gone.push(id);
  }
  printEnded(ids.length - gone.length, given.json);
  if (gone.length > 0) throw new RefusedError(`There is no open session ${gone.join(', ')}`);
}

async function endAll(
  client: AdminClient,
  { minBytes, ...filter }: SessionQuestion,
  limit: number | undefined,
  { how, over, reason, json }: SessionsArguments,
): Promise<void> {
  const bytes = minBytes === undefined ? {} : { minBytes: Number(minBytes) };
  const body = { filter: { ...filter, ...bytes }, how, over, limit, reason };
  const answer = await client.ask<Matched>(apiPath('sessions', 'close'), { method: 'POST', body });
  printEnded(answer.body.matched, json);
}

interface Matched {
  readonly matched: number;
}

function printEnded(count: number, json: true | undefined): void {
  if (json) printJson({ matched: count });
  else print([`${countOf(count, 'session')} ended`]);
}
