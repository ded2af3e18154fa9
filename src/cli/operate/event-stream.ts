/** What a running proxy tells as it happens: its Server-Sent Events, followed over losses of the connection. */
import { setTimeout } from 'node:timers/promises';
import { type AdminClient, apiPath, RefusedError } from './admin-client.ts';

export interface StreamedEvent {
  /** A stream continues after it; a snapshot has none. */
  readonly id: string | undefined;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventQuestion {
  /** With `snapshot`, the state of the proxy at that interval. */
  readonly query?: Readonly<Record<string, string>>;
  /** The id of the event after which to begin; without it, the next that happens comes first. */
  readonly after?: string | undefined;
  /** A connection that says nothing for so long is taken for lost. */
  readonly silentMs: number;
  readonly signal: AbortSignal;
  /** Told once of each loss; the events go on once the proxy is back. */
  onLost(why: RefusedError): void;
}

const betweenTriesMs = 1_000;

/** The events, until `signal` ends them. Throws a RefusedError where the proxy refuses, or is not there at first. */
export async function* follow(client: AdminClient, following: EventQuestion): AsyncGenerator<StreamedEvent> {
  const { signal, onLost } = following;
  let { after } = following;
  let connection: 'first' | 'open' | 'lost' = 'first';
  while (!signal.aborted) {
    try {
      const chunks = await chunksOf(client, { ...following, after });
      connection = 'open';
      const parser = new EventParser();
      for await (const chunk of chunks) {
        for (const event of parser.push(chunk)) {
          after = event.id ?? after;
          yield event;
        }
      }
      throw new RefusedError('The proxy has ended the connection');
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RefusedError) || connection === 'first' || error.answer !== undefined)
        throw error;
      if (connection === 'open') onLost(error);
      connection = 'lost';
    }
    await setTimeout(betweenTriesMs, undefined, { signal }).catch(() => {});
  }
}

/** What comes over one connection. Rejects with a RefusedError, as does the next chunk once it is lost. */
async function chunksOf(
  client: AdminClient,
  { query = {}, after, silentMs, signal }: EventQuestion,
): Promise<AsyncIterable<Buffer>> {
  const silence = new AbortController();
  let timer = globalThis.setTimeout(() => silence.abort(), silentMs);
  const headers: Readonly<Record<string, string>> = after === undefined ? {} : { 'last-event-id': after };
  const both = AbortSignal.any([signal, silence.signal]);
  const chunks = await client
    .stream(apiPath('events'), { query, headers, signal: both })
    .finally(() => clearTimeout(timer));
  return (async function* () {
    try {
      for await (const chunk of chunks) {
        clearTimeout(timer);
        timer = globalThis.setTimeout(() => silence.abort(), silentMs);
        yield chunk;
      }
    } catch (error) {
      const why = silence.signal.aborted ? 'is silent' : `is not heard any more: ${error}`;
      throw new RefusedError(`The proxy ${why}`, undefined, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  })();
}

/** Events as the API writes them: lines that end with LF (WHATWG HTML, 9.2.6). */
export class EventParser {
  readonly #decoder = new TextDecoder();
  #text = '';

  /** Those that are complete with these bytes. */
  *push(bytes: Uint8Array): Generator<StreamedEvent> {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    const parts = this.#text.split('\n\n');
    this.#text = parts.pop() ?? '';
    for (const part of parts) {
      const fields = new Map(part.split('\n').map((line) => pairIn(line)));
      const data = fields.get('data');
      // A comment keeps the connection open, and "retry" is for browsers.
      if (data === undefined) continue;
      yield { id: fields.get('id'), kind: fields.get('event') ?? 'message', data: JSON.parse(data) };
    }
  }
}

function pairIn(line: string): [field: string, value: string] {
  const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
  return [field, value];
}
