import { Command } from 'commander';
import { type ExitCode, withNotes } from '../command.ts';
import { plain } from '../text-table.ts';
import { follow, type StreamedEvent } from './event-stream.ts';
import { act, type ProxyArguments, withProxyOptions } from './proxy-options.ts';

interface EventsArguments extends ProxyArguments {
  readonly after?: string;
}

/** The proxy sends at least a heartbeat every 15 s. */
const silentMs = 40_000;

export function eventsCommand(ends: (code: ExitCode) => void): Command {
  const command = new Command('events')
    .description('Show what happens to a running sluice, as it happens, until it is interrupted')
    .option('--after <id>', 'begin behind this event; the proxy keeps the last thousand');
  withNotes(command, 'With --json, an object a line. It goes on after a restart of the proxy.');
  return withProxyOptions(command).action((given: EventsArguments) =>
    act(given, ends, async (client) => {
      const ending = new AbortController();
      const end = (): void => ending.abort();
      process.once('SIGINT', end).once('SIGTERM', end).once('SIGHUP', end);
      process.stdout.once('error', end);
      const onLost = ({ message }: Error): void =>
        void process.stderr.write(`sluice: ${message}; it is tried again\n`);
      for await (const event of follow(client, {
        after: given.after,
        silentMs,
        signal: ending.signal,
        onLost,
      })) {
        process.stdout.write(`${given.json ? asJsonLine(event) : eventText(event)}\n`);
      }
    }),
  );
}

function asJsonLine({ id, kind, data }: StreamedEvent): string {
  return JSON.stringify({ id, kind, ...data });
}

/** In a line: when, the kind, whose, and what has become of it. */
function eventText({ kind, data: { at, ...data } }: StreamedEvent): string {
  const time = typeof at === 'string' ? at : new Date().toISOString();
  return plain([time, kind.padEnd(widest), ...wordsOf(kind, data)].join(' '));
}

const widest = 'certificate'.length;

function wordsOf(kind: string, data: StreamedEvent['data']): readonly string[] {
  const { listener, pool, backend, name, ...others } = data;
  const whose = [listener, pool, backend, name].filter((part) => typeof part === 'string');
  switch (kind) {
    case 'gap':
      return ['some events were missed'];
    case 'operator': {
      const { by, method, path, status, reason } = others;
      const why = typeof reason === 'string' ? [`(${reason})`] : [];
      return [`${by}`, `${method}`, `${path}`, `${status}`, ...why];
    }
    case 'reload': {
      const { ok, trigger, errors } = others;
      const [first] = Array.isArray(errors) ? errors : [];
      return [`${trigger}`, ok === true ? 'done' : `refused: ${first?.message}`];
    }
    default: {
      const { [kind]: what, detail, ...more } = others;
      const rest = Object.entries(more).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      const cause = typeof detail === 'string' ? [`(${detail})`] : [];
      return [...(whose as string[]), ...(what === undefined ? [] : [`${what}`]), ...cause, ...rest];
    }
  }
}
