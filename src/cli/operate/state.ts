/** Takes a backend out of service and back into it: drain, ready, maint. */
import { Command } from 'commander';
import type { BackendName } from '../../control/overrides.ts';
import { type CommandMaker, type ExitCode, UsageError, withNotes } from '../command.ts';
import { countOf } from '../config-file.ts';
import type { AdminClient } from './admin-client.ts';
import { type BackendAnswer, backendsOf, changeBackend, madeReady, printBackends } from './backend-change.ts';
import { act, durationOf, type ProxyArguments, withProxyOptions } from './proxy-options.ts';
import { type WaitCondition, waitUntil } from './waiting.ts';

interface StateArguments extends ProxyArguments {
  readonly for?: string;
  readonly reason?: string;
  readonly wait?: true;
  readonly timeout?: string;
  readonly closeOver?: string;
}

export const drainCommand: CommandMaker = (ends) =>
  outOfService('drain', 'Give a backend no new sessions; it keeps those it has, and is checked', ends);

export const maintCommand: CommandMaker = (ends) =>
  outOfService('maint', 'Give a backend no new sessions, and do not check it', ends);

export function readyCommand(ends: (code: ExitCode) => void): Command {
  const command = stateCommand('ready', 'Undo drain and maint').option('--wait', 'until it takes sessions');
  withNotes(
    command,
    'Behind maint, it takes sessions once it has passed a check. What the configuration or the backend itself says is not lifted.',
  );
  return withProxyOptions(command).action((pool: string, backend: string, given: StateArguments) => {
    const change = changeIn(given);
    return act(given, ends, async (client) => {
      const backends = await madeReady(client, pool, backend, change.mark);
      await finish(client, backends, { pool, backend }, given, {
        until: 'up',
        whileIn: ['ready'],
        ...change,
      });
    });
  });
}

function outOfService(
  state: 'drain' | 'maint',
  description: string,
  ends: (code: ExitCode) => void,
): Command {
  const command = stateCommand(state, description)
    .option('--wait', 'until its last session has ended')
    .option('--close-over <duration>', 'end its sessions, spread over this time');
  return withProxyOptions(command).action((pool: string, backend: string, given: StateArguments) => {
    const change = changeIn(given);
    return act(given, ends, async (client) => {
      const { mark, sessions } = change;
      const answer = await changeBackend(client, pool, backend, { state, sessions, ...mark });
      const backends = await backendsOf(client, answer);
      await finish(client, backends, { pool, backend }, given, {
        until: 'idle',
        whileIn: ['drain', 'maint'],
        ...change,
      });
    });
  });
}

function stateCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<pool>', 'its pool')
    .argument('<backend>', 'its address, or as the configuration writes it')
    .option('--for <duration>', 'then the configuration holds again')
    .option('--reason <text>', 'shown wherever the change is')
    .option('--timeout <duration>', 'of --wait (without it: as long as it takes)');
}

/** The options in the form of the API. Throws a UsageError. */
function changeIn({ for: forText, reason, wait, timeout, closeOver }: StateArguments) {
  if (timeout !== undefined && !wait)
    throw new UsageError('--timeout: Expected --wait beside it, found none');
  for (const [option, text] of Object.entries({ '--for': forText, '--close-over': closeOver })) {
    if (text !== undefined) durationOf(option, text);
  }
  return {
    timeoutMs: timeout === undefined ? Number.POSITIVE_INFINITY : durationOf('--timeout', timeout),
    mark: { for: forText, reason },
    sessions: closeOver === undefined ? undefined : { over: closeOver },
  };
}

/** Waits, if that is wanted, and tells how each backend is then that was meant. */
async function finish(
  client: AdminClient,
  backends: readonly BackendAnswer[],
  written: BackendName,
  given: StateArguments,
  wait: Omit<WaitCondition, keyof BackendName>,
): Promise<void> {
  if (!given.wait) return printBackends(backends, given);
  const active = backends.reduce((sum, one) => sum + one.active, 0);
  if (wait.until === 'idle' && active > 0)
    process.stderr.write(`waits for ${countOf(active, 'session')} of ${written.backend} to end\n`);
  await waitUntil(client, { ...written, ...wait });
  const addresses = backends.map(({ address }) => address);
  printBackends(await backendsOf(client, { pool: written.pool, addresses }), given);
}
