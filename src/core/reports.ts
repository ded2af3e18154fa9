/** What people hear of: a session that is over, and what happens to backends meanwhile. */
import type { Endpoint } from './net/endpoint.ts';
import type { BackendSlot } from './plan.ts';
import type { DialFailure, EndedBy, Reason } from './reasons.ts';
import type { Protocol } from './wire/protocol.ts';

/** What is known of a session once it is over: the fields of its log line. */
export interface SessionRecord {
  readonly listener: string;
  readonly client: Endpoint;
  /** The pool that the session was routed to; absent where it was refused before. */
  readonly pool: string | undefined;
  /** The backend that took the session, or the last one that was dialed. */
  readonly backend: string | undefined;
  /** The name that the backend's address was resolved from. */
  readonly backendName: string | undefined;
  readonly attempts: number;
  readonly queueMs: number;
  /** How long the dial took that succeeded, to the microsecond; absent where none did. */
  readonly connectMs: number | undefined;
  /** The time from then to the backend's first byte, to the microsecond; absent where none came. */
  readonly firstByteMs: number | undefined;
  readonly durationMs: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
  readonly reason: Reason;
  readonly endedBy: EndedBy;
  /** The dials that failed, where there was more than one dial. */
  readonly dials: readonly FailedDial[] | undefined;
  /** The client left before it was routed and had sent no byte of its own: as a rule, a balancer has looked in. */
  readonly isEmpty: boolean;
  /** What the first bytes told, where the listener looked at them. */
  readonly sni: string | undefined;
  readonly protocol: Protocol | undefined;
  /** What the handshake with the client settled, here or at the proxy that announced it. */
  readonly alpn: string | undefined;
  /** What the handshake that was made here told, as `clientSubject` is. */
  readonly tlsVersion: string | undefined;
  readonly clientSubject: string | undefined;
  /** The id that the backend was given in its PROXY protocol header, or that a header brought. */
  readonly uniqueId: string | undefined;
  /** The errno, the TLS library's reason, what was wrong with a header: for people. */
  readonly detail: string | undefined;
}

export interface FailedDial {
  readonly backend: string;
  /** The errno's name, or a sentence for people. */
  readonly error: string;
}

/** What happens to backends while sessions go on. */
export type Incident = DialIncident | CircuitIncident;

/** One dial has failed; the session may dial another backend. */
export interface DialIncident extends FailedDial {
  readonly kind: 'dial-failed';
  readonly listener: string;
  readonly client: Endpoint;
  readonly pool: string;
  /** The first dial of a session is 1. */
  readonly attempt: number;
  /** `overloaded`: it was our own fault. */
  readonly reason: DialFailure | 'overloaded';
}

/** A breaker has changed its state. Told once, by the worker that has changed it. */
export interface CircuitIncident {
  readonly kind: 'circuit';
  readonly pool: string;
  readonly backend: string;
  readonly slot: BackendSlot;
  readonly change: CircuitChange;
}

export type CircuitChange =
  | {
      readonly to: 'open';
      /** In a row, since the breaker was in its last state. */
      readonly failures: number;
      readonly lastError: string | undefined;
      /** What it lasts for, but for the jitter. */
      readonly openForMs: number;
    }
  | { readonly to: 'half-open' | 'closed' };
