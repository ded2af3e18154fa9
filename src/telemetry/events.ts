/**
 * What happens to the proxy, as it happens: for whoever listens, and the last of it for whoever comes back. Each event
 * has an id; those of another process are told apart by when that began.
 */
import type { Health } from '../core/ledger/ledger.ts';
import type { CircuitChange } from '../core/reports.ts';

/** What each kind of event says besides its id and time. */
interface EventData {
  /** How a backend is administered has changed, or whether a listener is to accept clients. */
  readonly state:
    | { readonly pool: string; readonly backend: string; readonly state: string }
    | { readonly listener: string; readonly state: string };
  readonly health: BackendEvent & { readonly health: Health };
  readonly circuit: BackendEvent & { readonly circuit: CircuitChange['to'] };
  readonly reload: { readonly ok: boolean; readonly trigger: string };
  readonly hold: { readonly pool: string; readonly hold: 'held' | 'released' | 'refused' };
  readonly certificate: CertificateEvent;
  /** A request that may change something. */
  readonly operator: { readonly by: string; readonly method: string; readonly path: string };
}

interface BackendEvent {
  readonly pool: string;
  readonly backend: string;
  /** The cause, for people. */
  readonly detail?: string | undefined;
}

/** A certificate that the proxy shows, or, with a backend, that this has shown. */
interface CertificateEvent {
  readonly listener?: string;
  readonly pool?: string;
  readonly backend?: string;
  /** The name that it is for. */
  readonly name: string;
  /** `loaded` and `changed` by a configuration; `expiring` and `expired` once a day. */
  readonly certificate: 'loaded' | 'changed' | 'expiring' | 'expired';
  /** Until when it is good: ISO 8601, in UTC. */
  readonly expires: string;
}

export type EventKind = keyof EventData;

export interface ProxyEvent {
  readonly id: string;
  readonly kind: EventKind;
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly data: object;
}

export type Subscriber = (event: ProxyEvent) => void;

/** Kept for those who come back. */
const mostKept = 1_000;

export class Events {
  readonly #process: string;
  readonly #kept: ProxyEvent[] = [];
  readonly #subscribers = new Set<Subscriber>();
  #last = 0;

  /** `startedMs` is in milliseconds since 1970. */
  constructor(startedMs: number = Date.now()) {
    this.#process = startedMs.toString(36);
  }

  /** Fields besides those of its kind are passed on too. */
  publish<Kind extends EventKind>(kind: Kind, data: EventData[Kind] & object): void {
    const id = `${this.#process}-${++this.#last}`;
    const event = { id, kind, at: new Date().toISOString(), data };
    this.#kept.push(event);
    if (this.#kept.length > mostKept) this.#kept.shift();
    for (const subscriber of this.#subscribers) subscriber(event);
  }

  /** The newest, in their order. */
  get recent(): readonly ProxyEvent[] {
    return this.#kept;
  }

  /** Those after one; undefined where some of them, or the one, are known no more. */
  after(id: string): readonly ProxyEvent[] | undefined {
    const [process, number] = id.split('-');
    const missed = this.#last - Number(number);
    if (process !== this.#process || !Number.isInteger(missed) || missed < 0) return undefined;
    return missed > this.#kept.length ? undefined : this.#kept.slice(this.#kept.length - missed);
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Calls `subscriber` with each event until the returned function is called. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }
}
