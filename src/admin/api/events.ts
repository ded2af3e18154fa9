/** What happens to the proxy, as Server-Sent Events (WHATWG HTML, 9.2), and how it is, as often as is asked for. */
import { parseDuration } from '../../config/durations.ts';
import type { ProxyEvent } from '../../telemetry/events.ts';
import { failure } from '../http.ts';
import { found, mistaken } from './fields.ts';
import type { ApiRequest, Route } from './route.ts';

/** For each proxy: fewer than connections, so that others can ask. */
const mostStreams = 16;

/** A stream that says nothing for long is taken for dead by what lies between. */
const heartbeatMs = 15_000;

const longestBetweenMs = 60_000;

/**
 * With `Last-Event-ID`, goes on behind that event; `gap` tells that some were missed. With `recent=200`, so many of the
 * last events come first where it does not go on behind one. With `snapshot=1s`, events between
 * which `snapshot` has what status says: one at once, then one every second, or minute at most.
 */
export const events: Route = {
  path: '/api/v1/events',
  method: 'GET',
  may: 'read',
  query: ['snapshot', 'recent', 'lastEventId'],
  whileStarting: true,
  reply({ events, snapshots }, { query, lastEventId, left }) {
    const betweenMs = betweenSnapshotsMs(query);
    if (typeof betweenMs === 'string') return mistaken([{ path: 'snapshot', message: betweenMs }]);
    if (events.subscribers >= mostStreams)
      return failure(503, `Expected at most ${mostStreams} streams of events at once`);
    const recent = Number(query.get('recent') ?? 0);
    if (!Number.isInteger(recent) || recent < 0) {
      return mistaken([
        { path: 'recent', message: `Expected how many events, ${found(query.get('recent'))}` },
      ]);
    }
    const missed = lastEventId === undefined ? undefined : events.after(lastEventId);
    const gap = lastEventId === undefined || missed !== undefined ? '' : 'event: gap\ndata: {}\n\n';
    const past = missed ?? (recent === 0 ? [] : events.recent.slice(-recent));
    const first = gap + past.map(asText).join('');
    return {
      status: 200,
      type: 'text/event-stream; charset=utf-8',
      // A browser comes back after two seconds.
      body: `retry: 2000\n\n${first}`,
      stream({ write, isRead }) {
        const stop = events.subscribe((event) => write(asText(event)));
        const heartbeat = setInterval(() => write(': still here\n\n'), heartbeatMs).unref();
        const look = (text: string): void => {
          // The next one says it all: a client that is slow to read is left out.
          if (isRead()) write(text);
        };
        const stopLooking =
          betweenMs === undefined ? () => {} : snapshots.watch(Math.round(betweenMs / 1_000), look);
        left.addEventListener('abort', () => {
          stop();
          stopLooking();
          clearInterval(heartbeat);
        });
      },
    };
  },
};

/** Undefined where none are wanted; a text says what is wrong. */
function betweenSnapshotsMs(query: ApiRequest['query']): number | undefined | string {
  const given = query.get('snapshot');
  if (given === null) return undefined;
  const read = parseDuration(given);
  const isInBounds = read.ok && read.value >= 1_000 && read.value <= longestBetweenMs;
  return isInBounds ? read.value : `Expected a duration from "1s" to "1m", ${found(given)}`;
}

function asText({ id, kind, at, data }: ProxyEvent): string {
  return `id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify({ at, ...data })}\n\n`;
}
