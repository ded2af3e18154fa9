import { Command } from 'commander';
import type { BackendFields } from '../../control/overrides.ts';
import { type ExitCode, UsageError } from '../command.ts';
import { backendsOf, changeBackend, printBackends } from './backend-change.ts';
import { act, durationOf, type ProxyArguments, withProxyOptions } from './proxy-options.ts';

interface WeightArguments extends ProxyArguments {
  readonly for?: string;
  readonly reason?: string;
}

export function weightCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('weight')
    .description('Give a backend another weight')
    .argument('<pool>', 'its pool')
    .argument('<backend>', 'its address, or as the configuration writes it')
    .argument('<weight>', 'a number, a share of the configured weight such as 50%, or "configured"')
    .option('--for <duration>', 'then the configuration holds again')
    .option('--reason <text>', 'shown wherever the change is');
  return withProxyOptions(command).action(
    (pool: string, backend: string, text: string, given: WeightArguments) => {
      const weight = weightIn(text);
      if (given.for !== undefined) durationOf('--for', given.for);
      return act(given, ends, async (client) => {
        const answer = await changeBackend(client, pool, backend, {
          weight,
          for: given.for,
          reason: given.reason,
        });
        printBackends(await backendsOf(client, answer), given);
      });
    },
  );
}

/** Null is the configured one. */
function weightIn(text: string): BackendFields['weight'] | null {
  if (text === 'configured') return null;
  if (/^\d{1,7}$/.test(text) && Number(text) <= 1_000_000) return Number(text);
  // The pattern is that of the type.
  if (/^\d{1,4}(\.\d{1,3})?%$/.test(text)) return text as `${number}%`;
  throw new UsageError(
    `<weight>: Expected a number from 0 to 1000000, a share such as "50%", or "configured", found "${text}"`,
  );
}
