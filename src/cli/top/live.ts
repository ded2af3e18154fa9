/** Shows a running proxy as it is each second, until it is closed: on a screen, or in lines where there is none. */
import type { ReadStream, WriteStream } from 'node:tty';
import { hasColours } from '../../telemetry/colours.ts';
import type { AdminClient, RefusedError } from '../operate/admin-client.ts';
import { follow } from '../operate/event-stream.ts';
import type { Status } from '../operate/status-text.ts';
import { TopScreen } from './top-screen.ts';
import { type TimedStatus, type TopView, topView } from './top-view.ts';

export interface TopOptions {
  readonly input: ReadStream;
  readonly out: WriteStream;
  /** Lines of objects, also on a terminal. */
  readonly isJson?: boolean;
  /** Lines above all others. */
  readonly head?: readonly string[];
}

export interface Top {
  /** Fulfils with the first view, or at the end. */
  readonly begun: Promise<void>;
  /** Fulfils once it is closed, or its reader has had enough; rejects with a RefusedError. */
  readonly ended: Promise<void>;
  close(): void;
}

/** The proxy tells how it is each second. */
const silentMs = 10_000;

export function startTop(client: AdminClient, { input, out, isJson = false, head = [] }: TopOptions): Top {
  const closing = new AbortController();
  const close = (): void => closing.abort();
  const env = process.env;
  // A terminal that can't be drawn over is none.
  const isScreen = out.isTTY && env['TERM'] !== 'dumb' && !isJson;
  const shown = isScreen
    ? new TopScreen(client, { input, out, head, isColoured: hasColours(true, env), onQuit: close })
    : new TopLines(out, head, isJson, close);
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = watch(client, shown, closing.signal, begin).finally(() => {
    begin();
    shown.close();
  });
  return { begun, ended, close };
}

/** Where a view is shown. */
interface Showing {
  show(view: TopView): void;
  lost(why: RefusedError): void;
  close(): void;
}

async function watch(
  client: AdminClient,
  showing: Showing,
  signal: AbortSignal,
  onView: () => void,
): Promise<void> {
  let before: TimedStatus | undefined;
  const onLost = (why: RefusedError): void => {
    before = undefined;
    showing.lost(why);
  };
  for await (const { kind, data } of follow(client, {
    query: { snapshot: '1s' },
    silentMs,
    signal,
    onLost,
  })) {
    if (kind !== 'snapshot') continue;
    // What this version of the API answers.
    const now = { status: data as unknown as Status, atMs: Date.parse(String(data['at'])) };
    showing.show(topView(now, before));
    before = now;
    onView();
  }
}

class TopLines implements Showing {
  readonly #out: WriteStream;
  readonly #isJson: boolean;

  constructor(out: WriteStream, head: readonly string[], isJson: boolean, onGone: () => void) {
    this.#out = out;
    this.#isJson = isJson;
    out.on('error', onGone);
    if (!isJson) for (const line of head) out.write(`${line}\n`);
  }

  show(view: TopView): void {
    this.#out.write(`${this.#isJson ? JSON.stringify(objectOf(view)) : lineOf(view)}\n`);
  }

  lost({ message }: RefusedError): void {
    process.stderr.write(`sluice: ${message}; it is tried again\n`);
  }

  close(): void {}
}

/** All backends in one line, for people. */
export function lineOf({ pools }: TopView): string {
  return pools
    .flatMap(({ backends }) => backends)
    .map(({ address, state, health, circuit, active, total }) => {
      const wanted = state === 'ready' ? '' : `${state}, `;
      return `${address} ${wanted}${health}, breaker ${circuit}, ${active} active, ${total} served`;
    })
    .join(' | ');
}

/** For programs: what status says, and how fast it counts. */
export function objectOf({ status, rates, pools }: TopView): object {
  return {
    ...status,
    rates,
    pools: Object.fromEntries(
      pools.map(({ name, rates, backends }) => [name, { ...status.pools[name], rates, backends }]),
    ),
  };
}
