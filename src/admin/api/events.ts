/** What happens to the proxy, as Server-Sent Events (WHATWG HTML, 9.2). */
import type { ProxyEvent } from '../../telemetry/events.ts';
import { failure } from '../http.ts';
import type { Route } from './route.ts';

/** Fewer than connections, so that others can ask. */
const mostStreams = 16;

/** A stream that says nothing for long is taken for dead by what lies between. */
const heartbeatMs = 15_000;

let streams = 0;

/** With `Last-Event-ID`, goes on behind that event; `gap` tells that some were missed. */
export const events: Route = {
  path: '/api/v1/events',
  method: 'GET',
  may: 'read',
  reply({ source }, { lastEventId, left }) {
    if (streams >= mostStreams)
      return failure(503, `Expected at most ${mostStreams} streams of events at once`);
    const missed = lastEventId === undefined ? [] : source.events.after(lastEventId);
    const first = missed === undefined ? 'event: gap\ndata: {}\n\n' : missed.map(asText).join('');
    return {
      status: 200,
      type: 'text/event-stream; charset=utf-8',
      // A browser comes back after two seconds.
      body: `retry: 2000\n\n${first}`,
      stream(write) {
        streams++;
        const stop = source.events.subscribe((event) => write(asText(event)));
        const heartbeat = setInterval(() => write(': still here\n\n'), heartbeatMs).unref();
        left.addEventListener('abort', () => {
          streams--;
          stop();
          clearInterval(heartbeat);
        });
      },
    };
  },
};

function asText({ id, kind, at, data }: ProxyEvent): string {
  return `id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify({ at, ...data })}\n\n`;
}
