import type { TlsSession } from '../contract.ts';
import type { ListenerPlan } from '../plan.ts';
import type { Reason } from '../reasons.ts';
import type { PendingClient } from './pending-client.ts';

/** Something that a client passes, waits at, or is refused by. */
export interface Gate {
  /** Whether clients of a listener pass it: most listeners need few gates, and each costs every client. */
  appliesTo(listener: ListenerPlan): boolean;
  enter(client: PendingClient, nowMs: number): 'passes' | Refusal | WaitingClient;
}

export type Verdict = 'passes' | 'waits' | Refusal;

export interface Refusal {
  readonly reason: Reason;
  /** For people: what was wrong. */
  readonly detail?: string | undefined;
  /** With FIN whatever the listener says, since a last word is on its way to the client. */
  readonly with?: 'fin';
}

/** A client that waits at a gate for something of its own. */
export interface WaitingClient {
  readonly waitsFor: 'proxy-header' | 'handshake' | 'first-bytes';
  /** When that is overdue. */
  readonly dueMs: number;
  /** All that is held of it. The bytes are good until this returns. */
  received(bytes: Uint8Array): Verdict;
  /** It has sent FIN; what came before was handed over, and there was something. */
  finished(): Verdict;
  expired(): Verdict;
  tlsEstablished?(tls: TlsSession): Verdict;
  tlsFailed?(detail: string): Verdict;
}

export function refusal(reason: Reason, detail?: string): Refusal {
  return { reason, detail };
}
