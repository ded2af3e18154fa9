/** Waits until what a client says first tells which route is its. */
import { type FirstBytesReader, Sniffer } from '../wire/sniffer.ts';
import { type Gate, refusal, type Verdict, type WaitingClient } from './gate.ts';
import type { PendingClient } from './pending-client.ts';
import { decide } from './routing.ts';

export const firstBytes: Gate = {
  appliesTo: ({ routes }) => routes.length > 0,
  enter(client, nowMs) {
    const { listener, held } = client;
    const verdict = verdictOn(client);
    if (verdict !== 'waits') return verdict;
    const waiting = new ReadClient(client, nowMs + listener.plan.policy.inspect.timeoutMs);
    const read = waiting.received(held);
    return read === 'waits' ? waiting : read;
  },
};

class ReadClient implements WaitingClient {
  readonly waitsFor = 'first-bytes';
  readonly dueMs: number;
  readonly #client: PendingClient;
  readonly #sniffer: FirstBytesReader;

  constructor(client: PendingClient, dueMs: number) {
    this.#client = client;
    this.#sniffer = client.context.readFirstBytes?.() ?? new Sniffer();
    client.sniffer = this.#sniffer;
    this.dueMs = dueMs;
  }

  received(bytes: Uint8Array): Verdict {
    const client = this.#client;
    const { maxBytes } = client.listener.plan.policy.inspect;
    const hasLearned = this.#sniffer.read(bytes.subarray(0, maxBytes));
    if (client.hasFinished && bytes.length > 0) return this.finished();
    if (bytes.length >= maxBytes) this.#sniffer.cut();
    // Routes are asked only what has changed: a segment that tells nothing costs the same with 1,000 of them.
    else if (!hasLearned) return client.inspect();
    const verdict = verdictOn(client);
    return verdict === 'waits' ? client.inspect() : verdict;
  }

  finished(): Verdict {
    this.#sniffer.end();
    return verdictOn(this.#client);
  }

  /** A silent client may wait for a server that speaks first; one that has begun to speak should have gone on. */
  expired(): Verdict {
    if (this.#client.hasSpoken) return refusal('inspect-timeout');
    const verdict = this.finished();
    const { route, listener } = this.#client;
    const isRouted = route !== undefined || listener.plan.pool !== undefined;
    return verdict === 'passes' && isRouted ? verdict : refusal('inspect-timeout');
  }
}

function verdictOn(client: PendingClient): Verdict {
  const route = decide(client.listener, client.endpoint, client.facts);
  if (route === 'needs-bytes') return 'waits';
  if (route === 'undecided') return refusal('no-route', 'What names it asks for could not be told');
  client.route = route;
  return 'passes';
}
