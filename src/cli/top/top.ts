import { Command } from 'commander';
import { type ExitCode, withNotes } from '../command.ts';
import { act, type ProxyArguments, withProxyOptions } from '../operate/proxy-options.ts';
import { startTop } from './live.ts';

export function topCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('top').description(
    'Watch a running sluice: its pools, backends and sessions, with keys to drain a backend and have it back',
  );
  withNotes(
    command,
    'Where stdout is no terminal, it prints a line each second. With --json, that line is an object. NO_COLOR=1 drops the colours.',
  );
  return withProxyOptions(command).action((given: ProxyArguments) =>
    act(given, ends, async (client) => {
      const { stdin: input, stdout: out } = process;
      const top = startTop(client, { input, out, isJson: given.json === true });
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, top.close);
      await top.ended;
    }),
  );
}
