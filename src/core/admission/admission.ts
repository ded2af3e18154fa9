/** Runs a client through the gates, one after the other, until one makes it wait or refuses it. */
import type { TlsSession } from '../contract.ts';
import type { PoolSlot } from '../plan.ts';
import { settled } from '../wire/sniffer.ts';
import type { Refusal, Verdict, WaitingClient } from './gate.ts';
import { gates } from './gates.ts';
import type { ListenerState } from './listener-state.ts';
import { noBytes, type PendingClient } from './pending-client.ts';
import { decide } from './routing.ts';

export type AdmissionResult = 'waits' | 'routed' | Refusal;

export class Admission {
  readonly client: PendingClient;
  #at = 0;
  #waiting: WaitingClient | undefined;

  constructor(client: PendingClient) {
    this.client = client;
  }

  /** When what it waits for is overdue. */
  get dueMs(): number {
    return this.#waiting?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  begin(nowMs: number): AdmissionResult {
    return this.#run(nowMs);
  }

  received(bytes: Uint8Array, nowMs: number): AdmissionResult {
    this.client.held = bytes;
    this.client.hasSpoken ||= bytes.length > 0;
    return this.#goOn(this.#waiting?.received(bytes), nowMs);
  }

  tlsEstablished({ serverName, alpn }: Omit<TlsSession, 'version'>, nowMs: number): AdmissionResult {
    const { client } = this;
    client.serverName = serverName ?? client.serverName;
    return this.#goOn(this.#waiting?.tlsEstablished?.({ serverName: client.serverName, alpn }), nowMs);
  }

  tlsFailed(detail: string, nowMs: number): AdmissionResult {
    return this.#goOn(this.#waiting?.tlsFailed?.(detail), nowMs);
  }

  /** The client has sent FIN; what came before it was handed over. */
  finished(heldBytes: number, nowMs: number): AdmissionResult {
    this.client.hasFinished = true;
    if (heldBytes === 0) return { reason: 'client-left' };
    return this.#goOn(this.#waiting?.finished(), nowMs);
  }

  /** `dueMs` is over. */
  expired(nowMs: number): AdmissionResult {
    return this.#goOn(this.#waiting?.expired(), nowMs);
  }

  #goOn(verdict: Verdict = 'waits', nowMs: number): AdmissionResult {
    const result = verdict === 'passes' ? this.#next(nowMs) : verdict;
    this.client.held = noBytes;
    return result;
  }

  #next(nowMs: number): AdmissionResult {
    this.#waiting = undefined;
    this.#at++;
    return this.#run(nowMs);
  }

  #run(nowMs: number): AdmissionResult {
    for (let gate = gates[this.#at]; gate !== undefined; gate = gates[++this.#at]) {
      const verdict = gate.enter(this.client, nowMs);
      if (verdict === 'passes') continue;
      if ('reason' in verdict) return verdict;
      this.#waiting = verdict;
      return 'waits';
    }
    return 'routed';
  }
}

/** The pool by another plan of the listener, now that all is known of the client that ever will be. */
export function poolBy(listener: ListenerState, client: PendingClient): PoolSlot | undefined {
  const route = decide(listener, client.endpoint, settled(client.facts));
  return typeof route === 'object' ? route.takePool() : listener.plan.pool;
}
