/**
 * Every event that can happen to the data plane and every command that can follow: read this first.
 *
 * A driver has **links**. A link is one connection, accepted or dialed, plain or with TLS. Two links can be joined:
 * what comes from one goes to the other. Only the core knows sessions: a client's link and, once dialed, its
 * backend's. A driver reports events of links and executes commands on them; the core turns the one into the other
 * and does nothing else.
 *
 *     accepted ─────▶ held ◀── connected ── dialing ◀── connect        dialing ── connect-failed ─▶ (number free)
 *                      │ ▲
 *                      │ └── tls-established ── handshaking ◀── start-tls  handshaking ── tls-failed ─▶ refused
 *                      ▼ join (two held links)
 *                   joined ─┬─ FIN both ways, all sent ──────────────────▶ closing 'finished'
 *                           ├─ a send fails ─▶ read on to its end ───────▶ closing 'closed-early', by RST 'reset-by-peer'
 *                           └─ RST from its peer ────────────────────────▶ closing 'reset-by-peer', its partner
 *                                                                          'reset-with-partner'
 *     any ── close fin ─▶ finishing (FIN behind what is queued, what comes is thrown away) ── its FIN ─▶ closing 'closed'
 *     any ── close reset ─▶ closing 'closed'
 *     closing ── nothing is under way in the kernel any more ─▶ closed (number free)
 *
 * | state            | is read                                    | commands that may come                    |
 * | dialing          | no                                         | close                                     |
 * | held             | until 64 KiB wait, less if memory is short | inspect, discard, send, start-tls, join, close |
 * | handshaking      | cipher text                                | close                                     |
 * | refused          | no                                         | close                                     |
 * | joined           | while its partner has room                 | close                                     |
 * | finishing        | and what comes is thrown away              | close reset                               |
 * | closing          | no                                         | none                                      |
 *
 * Times are milliseconds of one monotonic clock that all threads share. Bytes never enter the core, but for the
 * first few that a route, a PROXY protocol header or a handshake's name needs.
 */
import type { Endpoint } from './net/endpoint.ts';
import type { Address, BackendSlot, BackendTls, ListenerSlot, ListenerTls, Plan, PoolSlot } from './plan.ts';
import type { Incident, SessionRecord } from './reports.ts';
import type { SessionFilter, SessionPage, SessionView } from './session-list.ts';

export type { Address, BackendSlot, ListenerSlot, PoolSlot } from './plan.ts';

/**
 * A link's number, which is used again: that of an accepted link from its last event on, that of a dialed one from the
 * next event on. Small, so that both sides index arrays with it. Even: accepted, given by the driver. Odd: dialed,
 * given by the core.
 */
export type LinkId = number;

/**
 * What a driver tells of one link. `closed` and `connect-failed` are last events: each link has exactly one. The object
 * is the driver's, and good until `handle` returns.
 */
export type LinkEvent =
  /** A client has come; its link is held. */
  | {
      readonly kind: 'accepted';
      readonly link: LinkId;
      readonly listener: ListenerSlot;
      readonly peer: Endpoint;
    }
  /** Answers `inspect` with all that is held. The bytes are the driver's: good until `handle` returns. */
  | { readonly kind: 'received'; readonly link: LinkId; readonly bytes: Uint8Array }
  /** A backend has shown a certificate; the handshake may still fail because of it. */
  | {
      readonly kind: 'certificate-shown';
      readonly link: LinkId;
      /** Until when it is good, in milliseconds since 1970. */
      readonly notAfterMs: number;
    }
  /** The handshake is done, and the peer verified where that is wanted; the link is held, its bytes are plain. */
  | { readonly kind: 'tls-established'; readonly link: LinkId; readonly tls: TlsSession }
  /** The alert is on its way to the peer: only `close` may follow, and `fin` lets the alert arrive. */
  | { readonly kind: 'tls-failed'; readonly link: LinkId; readonly detail: string }
  /** A dialed link is held now. */
  | { readonly kind: 'connected'; readonly link: LinkId }
  | {
      readonly kind: 'connect-failed';
      readonly link: LinkId;
      readonly why: ConnectFailure;
      /** The errno's name. */
      readonly detail: string;
    }
  /** The first byte from a backend after `join`. */
  | { readonly kind: 'first-byte'; readonly link: LinkId }
  /** FIN came, behind a `received` that was due. Of two joined links only the first FIN is told. */
  | {
      readonly kind: 'half-closed';
      readonly link: LinkId;
      /** What came before it and no partner has taken. */
      readonly heldBytes: number;
    }
  | {
      readonly kind: 'closed';
      readonly link: LinkId;
      readonly end: LinkEnd;
      /** Bytes of its partner that its kernel took in full. */
      readonly sentBytes: number;
    };

/** What happens to the worker as a whole. A driver emits the first three. */
export type WorkerEvent =
  /** `nextDeadlineMs` is over, and all that had come by then was taken. */
  | { readonly kind: 'deadline' }
  /** There is no memory or no descriptor left for the next client: at most once a turn. */
  | { readonly kind: 'exhausted'; readonly what: 'memory' | 'descriptors' }
  /** A client has come that there is no descriptor for: its connection is closed already. */
  | { readonly kind: 'turned-away'; readonly listener: ListenerSlot; readonly peer: Endpoint }
  /** Another worker has freed a place that a session of this one waits for. */
  | { readonly kind: 'woken' }
  /** A new configuration, whole. */
  | { readonly kind: 'plan'; readonly plan: Plan }
  /** A probe changed a backend's health; the ledger has its new word already. */
  | { readonly kind: 'health-changed'; readonly backend: BackendSlot; readonly health: 'up' | 'down' }
  /** An operator ends these; those that have ended already are passed over. */
  | { readonly kind: 'end-sessions'; readonly serials: readonly number[]; readonly how: CloseHow }
  /** A hold is over: those that wait for its pool are refused. */
  | { readonly kind: 'refuse-waiting'; readonly pool: PoolSlot }
  /** Finish the open sessions by `untilMs`, then cut the rest. */
  | { readonly kind: 'drain'; readonly untilMs: number }
  /** Cut the open sessions, and wait for nobody who was sent FIN. */
  | { readonly kind: 'stop' };

/** By FIN behind what is queued, or by RST. */
export type CloseHow = 'fin' | 'reset';

export type CoreEvent = LinkEvent | WorkerEvent;

/** `exhausted`: this process is out of descriptors or memory. All else is the destination's or this attempt's. */
export type ConnectFailure = 'connect-refused' | 'connect-failed' | 'exhausted';

/**
 * `closed-early`: its FIN came and was passed on, but it did not take all that was sent to it. `closed`: by command,
 * as are both links of a pair that is closed.
 */
export type LinkEnd = 'finished' | 'closed-early' | 'reset-by-peer' | 'reset-with-partner' | 'closed';

/** What a handshake settled. */
export interface TlsSession {
  readonly version: string;
  /** The protocol that both agreed on. */
  readonly alpn: string | undefined;
  /** The name that a client asked for, as the engine has read it: of some hellos it alone can. */
  readonly serverName?: string | undefined;
  /** The subject of a verified client certificate. */
  readonly clientSubject: string | undefined;
}

export type Command =
  /** One `received`, once more than `beyond` bytes are held. Any other command but `discard` withdraws it. */
  | { readonly kind: 'inspect'; readonly link: LinkId; readonly beyond: number }
  /** Forget the first of the bytes that are held: no partner shall see them. */
  | { readonly kind: 'discard'; readonly link: LinkId; readonly bytes: number }
  /** At most 4 KiB of our own for the peer of a held link, in order; they are not counted. */
  | { readonly kind: 'send'; readonly link: LinkId; readonly bytes: Uint8Array }
  /**
   * Terminate the client's TLS; what is held of it is its hello. Ends in `tls-established`, `tls-failed` or `closed`.
   */
  | {
      readonly kind: 'start-tls';
      readonly link: LinkId;
      readonly as: 'server';
      readonly tls: ListenerTls;
      /** As the hello has it, in lower case: it picks the certificate. */
      readonly serverName: string | undefined;
    }
  /** Speak TLS to a backend. Ends in `tls-established`, `tls-failed` or `closed`. */
  | {
      readonly kind: 'start-tls';
      readonly link: LinkId;
      readonly as: 'client';
      readonly tls: BackendTls;
      /** Where it was dialed: a session of its is resumed with it alone. */
      readonly address: Address;
      /** What is sent and verified; an IP address is verified alone. */
      readonly serverName: string;
      /** Goes out ahead of TLS. */
      readonly first: Uint8Array | undefined;
    }
  /** Ends in `connected` or `connect-failed`, or in `closed` if it is closed before. */
  | { readonly kind: 'connect'; readonly link: LinkId; readonly address: Address }
  /**
   * Copy both ways, beginning with what is held of each. `first` goes ahead of the client's bytes, in one write. `slot`
   * is the backend whose bytes are counted.
   */
  | {
      readonly kind: 'join';
      readonly client: LinkId;
      readonly backend: LinkId;
      readonly slot: BackendSlot;
      readonly first: Uint8Array | undefined;
    }
  /**
   * Close the link, and its partner with it. `reset`: RST now. `fin`: FIN behind what is queued, then what comes is
   * thrown away until FIN comes; a `reset` may follow.
   */
  | { readonly kind: 'close'; readonly link: LinkId; readonly how: CloseHow }
  /** Tell another worker `woken`: a place is free that a session of its waits for. */
  | { readonly kind: 'wake'; readonly worker: number }
  /** A session is over: write it down. */
  | { readonly kind: 'report'; readonly record: SessionRecord }
  /** Something has happened to a backend: people may want to know. */
  | { readonly kind: 'tell'; readonly incident: Incident };

export interface Core {
  /**
   * Takes one event in and gives what must be done about it, in order: the first `count` of `commands`. The list is
   * the core's, and good until the next call.
   */
  handle(event: CoreEvent, nowMs: number): { readonly count: number; readonly commands: readonly Command[] };
  /** When to call with `deadline` if nothing else happens before. */
  readonly nextDeadlineMs: number | undefined;
  /** Sessions accepted and not reported. */
  readonly activeSessions: number;
  /** The open session of a client's link. */
  view(client: LinkId, nowMs: number): SessionView | undefined;
  /** Up to `most` that pass the filter, from 0 or a page's `next` on. Looks at so many at once and no more. */
  list(filter: SessionFilter, from: number, most: number, nowMs: number): SessionPage;
}

/** What the core asks of a driver now and then, instead of being told about every byte. */
export interface Activity {
  /** When a byte last came from this link or its partner. */
  lastByteMs(link: LinkId): number;
  sentBytes(link: LinkId): number;
  /** Held of it, or queued for its peer once it is joined or closed. */
  waitingBytes(link: LinkId): number;
  /** Our end of the connection. */
  localEndpoint(link: LinkId): Endpoint;
}
