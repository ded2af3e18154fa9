import { Command } from 'commander';
import type { ReloadError } from '../../admin/api/route.ts';
import type { ChangedNames, Changes } from '../../config/changes.ts';
import { type ExitCode, exitCodes } from '../command.ts';
import { countOf } from '../config-file.ts';
import { apiPath, mistakeText } from './admin-client.ts';
import { act, type ProxyArguments, print, printJson, withProxyOptions } from './proxy-options.ts';

/** New names may have to be resolved, and addresses to be freed. */
const timeoutMs = 10 * 60_000;

export function reloadCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('reload').description(
    'Have a running sluice read its configuration again, and show what has changed or what is wrong',
  );
  return withProxyOptions(command).action((given: ProxyArguments) =>
    act(given, ends, async (client) => {
      const question = { method: 'POST', timeoutMs } as const;
      const { body } = await client.ask<Reloaded | Mistaken>(apiPath('reload'), question, [422]);
      if (given.json) printJson(body);
      if ('errors' in body) {
        const { errors } = body;
        const lines = [
          ...errors.map(mistakeText),
          `${countOf(errors.length, 'mistake')}: the proxy runs on as it was`,
        ];
        process.stderr.write(`${lines.join('\n')}\n`);
        ends(exitCodes.failed);
      } else if (!given.json) print(changeLines(body));
    }),
  );
}

type Reloaded = Changes & { readonly pendingRestart: readonly string[] };

interface Mistaken {
  readonly errors: readonly ReloadError[];
}

function changeLines({
  added = {},
  removed = {},
  changed = {},
  pendingRestart,
}: Reloaded): readonly string[] {
  const lines = [
    ...namesIn('added', added),
    ...namesIn('removed', removed),
    ...namesIn('changed', changed),
    ...(pendingRestart.length === 0 ? [] : [`takes a restart: ${pendingRestart.join(', ')}`]),
  ];
  return lines.length === 0 ? ['reloaded: nothing has changed'] : ['reloaded', ...lines];
}

function namesIn(what: string, names: ChangedNames): readonly string[] {
  return Object.entries(names).map(([kind, some]) => `${what} ${kind}: ${some.join(', ')}`);
}
