/**
 * Server-Sent Events by `fetch`, for an EventSource can't send a token. A stream that breaks off, or says nothing for
 * long, is opened anew, at first at once and then every other second, and goes on behind the last event.
 */
import { ask, Refusal } from './api.ts';

export interface StreamEvent {
  readonly id: string;
  readonly kind: string;
  readonly data: string;
}

export interface StreamHandlers {
  event(event: StreamEvent): void;
  opened(): void;
  /** It will be tried again, but where a token is missing or wrong. */
  lost(why: Refusal): void;
}

/** Snapshots come each second. */
const silenceMs = 5_000;
const againMs = 2_000;

/** Until the function that it gives is called. */
export function listen(path: string, { event, opened, lost }: StreamHandlers): () => void {
  let ended = false;
  let lastId = '';
  let current = new AbortController();
  const run = async (): Promise<void> => {
    for (let tries = 0; !ended; tries++) {
      current = new AbortController();
      let watch = setTimeout(() => current.abort(), silenceMs);
      try {
        const from = lastId === '' ? '' : `&lastEventId=${encodeURIComponent(lastId)}`;
        const { body } = await ask(path + from, { signal: current.signal });
        tries = 0;
        opened();
        for await (const one of eventsOf(body)) {
          clearTimeout(watch);
          watch = setTimeout(() => current.abort(), silenceMs);
          if (one.id !== '') lastId = one.id;
          event(one);
        }
        throw new Refusal(0, 'The proxy has closed the connection');
      } catch (error) {
        if (ended) return;
        const refusal = error instanceof Refusal ? error : new Refusal(0, 'The connection broke off');
        lost(refusal);
        if (refusal.status === 401) return;
      } finally {
        clearTimeout(watch);
      }
      await new Promise((resolve) => setTimeout(resolve, tries === 0 ? 250 : againMs));
    }
  };
  void run();
  return () => {
    ended = true;
    current.abort();
  };
}

/** WHATWG HTML, 9.2.6, as far as the API uses it. */
async function* eventsOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<StreamEvent> {
  if (body === null) return;
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split('\n')) {
        const colon = line.indexOf(': ');
        if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
      }
      const [id = '', kind = '', data = ''] = ['id', 'event', 'data'].map((name) => fields.get(name));
      if (kind !== '') yield { id, kind, data };
    }
  }
}
