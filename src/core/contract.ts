/**
 * Every event that can happen to the data plane and every command that can follow: read this first.
 *
 * A driver reports events and executes commands; the core turns the one into the other and does nothing
 * else. One session sees, in this order:
 *
 *     accepted ──▶ dial ──▶ dialed ──▶ relay ──▶ half-closed ──▶ ended ──▶ report
 *      │ │ ▲        ▲ │                  │                        ▲
 *      │ │ │  again └─┴─ dial-failed     └── close ───────────────┤   (time is over, backend down, drained)
 *      │ │ └─ inspect ▶ received ▶ discard, secure ▶ secured      │   (what a listener must see before it routes)
 *      │ └── close ───────────────────────────────────────────────┘   (refused, or nobody to dial)
 *
 * Times are milliseconds of one monotonic clock that all threads share. Bytes never enter the core, but for the
 * first few that a route or a PROXY protocol header needs.
 */
import type { Address, BackendSlot, BackendTls, ListenerSlot, ListenerTls, Plan } from './plan.ts';
import type { DialFailure, EndedBy, Reason } from './reasons.ts';
import type { Protocol } from './wire/protocol.ts';

export type { Address, BackendSlot, ListenerSlot, PoolSlot } from './plan.ts';

/** A number that the driver chooses for a connection it accepted, and never uses again. */
export type SessionId = number;

/** The other end of an accepted connection. Of a unix socket, `address` is `unix` and `port` 0. */
export interface Client {
  /** Canonical text of the IP address; an IPv4-mapped IPv6 address is written as IPv4. */
  readonly address: string;
  readonly port: number;
}

export type CoreEvent =
  | {
      readonly kind: 'accepted';
      readonly session: SessionId;
      readonly listener: ListenerSlot;
      readonly client: Client;
    }
  /**
   * The answer to `inspect`: all that the client has sent and that was not discarded, from its first byte. The
   * bytes belong to the driver: they are good until `handle` returns.
   */
  | { readonly kind: 'received'; readonly session: SessionId; readonly bytes: Uint8Array }
  /** The TLS handshake that `secure` began is done: from now on the client's bytes are plain ones. */
  | {
      readonly kind: 'secured';
      readonly session: SessionId;
      /** As the client named it, in lower case. */
      readonly sni: string | undefined;
      /** The protocol that both agreed on. */
      readonly alpn: string | undefined;
    }
  | {
      readonly kind: 'secure-failed';
      readonly session: SessionId;
      /** The name that the client asked for, where its hello had come. */
      readonly sni: string | undefined;
      /** Why, in a few words. */
      readonly detail: string;
    }
  | { readonly kind: 'dialed'; readonly session: SessionId }
  | {
      readonly kind: 'dial-failed';
      readonly session: SessionId;
      /** `exhausted`: this process is out of descriptors or memory; no fault of the backend. */
      readonly why: Exclude<DialFailure, 'connect-timeout'> | 'exhausted';
    }
  /**
   * FIN came from one side. `unsentBytes` came before it and wait for a backend to take them. A `received` that
   * is due comes first.
   */
  | {
      readonly kind: 'half-closed';
      readonly session: SessionId;
      readonly side: 'client' | 'backend';
      readonly unsentBytes: number;
    }
  /** Both connections are closed and nothing more will be heard of the session. Exactly one per accepted. */
  | {
      readonly kind: 'ended';
      readonly session: SessionId;
      /** `closed`: by a close command, whose reason the core remembers. */
      readonly how: 'finished' | 'client-reset' | 'backend-reset' | 'closed';
      /** Of `finished`, the side whose FIN came first. */
      readonly endedBy: EndedBy;
      /** Bytes delivered to each side: handed to its kernel in full. */
      readonly bytesToBackend: number;
      readonly bytesToClient: number;
      /** Of a client that left in its handshake, where not a byte of that had come. */
      readonly saidNothing?: true;
    }
  /** `nextDeadlineMs` has come. */
  | { readonly kind: 'deadline' }
  /** A probe changed a backend's health; the ledger has its new word already. */
  | { readonly kind: 'health-changed'; readonly backend: BackendSlot; readonly health: 'up' | 'down' }
  /** A new configuration, whole. */
  | { readonly kind: 'plan'; readonly plan: Plan }
  /** Finish the open sessions by `untilMs`, then cut the rest. */
  | { readonly kind: 'drain'; readonly untilMs: number };

export type Command =
  /**
   * Hand over what the client has sent, in one `received`, as soon as it is more than `beyond` bytes. A driver
   * holds at least 64 KiB for this. Whatever other command follows, but for `discard`, withdraws it.
   */
  | { readonly kind: 'inspect'; readonly session: SessionId; readonly beyond: number }
  /** Forget the first of the bytes that the client has sent: they have been seen, and no backend shall see them. */
  | { readonly kind: 'discard'; readonly session: SessionId; readonly bytes: number }
  /**
   * Terminate the client's TLS, beginning with what it has sent so far. A postgres client that asks for TLS
   * first (SSLRequest) is told yes. Ends in one `secured` or `secure-failed`, or in the session's `ended`.
   */
  | { readonly kind: 'secure'; readonly session: SessionId; readonly tls: ListenerTls }
  /** Connect to the backend. Ends in one `dialed` or `dial-failed`, or in the session's `ended`. */
  | {
      readonly kind: 'dial';
      readonly session: SessionId;
      readonly backend: BackendSlot;
      readonly address: Address;
      /** Goes out once, ahead of the client's bytes and of TLS, in one write with what is there; not counted. */
      readonly preamble: Uint8Array | undefined;
      /** `dialed` then means that the backend's certificate was verified too, where that is wanted. */
      readonly tls: BackendTls | undefined;
      /** What TLS calls the backend where `tls` does not say: the name that its address was resolved from. */
      readonly hostName: string | undefined;
    }
  /** Forget the dial under way: once executed, that dial is not heard of again. */
  | { readonly kind: 'abort-dial'; readonly session: SessionId }
  /** Copy both ways between the client and the dialed backend, beginning with what the client sent so far. */
  | { readonly kind: 'relay'; readonly session: SessionId }
  /**
   * End the session. `reset`: RST to both sides, now. `fin`: FIN to both sides, and `ended` once the client
   * has closed too; bytes that still come are thrown away. A second close may follow a `fin`, with `reset`.
   */
  | { readonly kind: 'close'; readonly session: SessionId; readonly how: 'reset' | 'fin' }
  /** A session is over: write it down. */
  | { readonly kind: 'report'; readonly record: SessionRecord };

/** What is known of a session once it is over: the fields of its log line. */
export interface SessionRecord {
  readonly listener: string;
  readonly client: Client;
  /** The pool that the session was routed to; absent where it was refused before. */
  readonly pool: string | undefined;
  /** The backend that took the session, or the last one that was dialed. */
  readonly backend: string | undefined;
  readonly attempts: number;
  readonly queueMs: number;
  /** How long the dial took that succeeded; absent where none did. */
  readonly connectMs: number | undefined;
  readonly durationMs: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
  readonly reason: Reason;
  readonly endedBy: EndedBy;
  /** The client left before it was routed and had sent no byte of its own: as a rule, a balancer has looked in. */
  readonly isEmpty: boolean;
  /** What the reason leaves open: why a TLS handshake failed. */
  readonly detail?: string | undefined;
  /** What the first bytes told, where the listener looked at them. */
  readonly sni: string | undefined;
  readonly protocol: Protocol | undefined;
  /** The id that the backend was given in its PROXY protocol header, or that a header brought. */
  readonly uniqueId: string | undefined;
}

export interface Core {
  /** Takes one event in and gives what must be done about it, in order. */
  handle(event: CoreEvent, nowMs: number): readonly Command[];
  /** When to call with `deadline` if nothing else happens before. */
  readonly nextDeadlineMs: number | undefined;
  /** Sessions accepted and not ended. */
  readonly activeSessions: number;
}

/** What the core asks of a driver now and then, instead of being told about every byte. */
export interface Activity {
  /** When a byte last came from either side of a relaying session. */
  lastByteMs(session: SessionId): number;
  /** Where a client's connection arrived: our end of it, in the form of a Client. */
  arrivedAt(session: SessionId): Client;
}
