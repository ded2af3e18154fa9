import { Command } from 'commander';
import { UnknownName } from '../../control/administered.ts';
import { NotServing } from '../../control/lifecycle.ts';
import { type ExitCode, withNotes } from '../command.ts';
import { apiPath, RefusedError } from './admin-client.ts';
import { act, type ProxyArguments, print, printJson, withProxyOptions } from './proxy-options.ts';
import { type OverrideView, type Status, statusLines } from './status-text.ts';

export function statusCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('status')
    .description('Show a running sluice: its listeners, pools and backends, and what operators have changed')
    .argument('[pool]', 'only this pool');
  withNotes(
    command,
    'With --json, the answers of /api/v1/status and /api/v1/overrides; of a pool, its part.',
  );
  return withProxyOptions(command).action((pool: string | undefined, given: ProxyArguments) =>
    act(given, ends, async (client) => {
      const { body: status } = await client.ask<Status>(apiPath('status'));
      const { body } = await client.ask<{ readonly overrides: readonly OverrideView[] }>(
        apiPath('overrides'),
      );
      if (pool !== undefined && status.phase === 'starting')
        throw new RefusedError(NotServing.starting.message);
      const pools = Object.keys(status.pools);
      if (pool !== undefined && !pools.includes(pool))
        throw new RefusedError(new UnknownName('pool', pool, pools).message);
      const those = body.overrides.filter((one) => pool === undefined || one.pool === pool);
      if (given.json) {
        printJson({ ...(pool === undefined ? status : status.pools[pool]), overrides: those });
      } else print(statusLines(status, pool, those));
    }),
  );
}
