/**
 * One client's link and, once dialed, its backend's, from accept to the log line. What is known in every stage is
 * here; what becomes of it stands in its stages, `admission/admission.ts` and those in `stages/`:
 *
 *     admission ─▶ placing ◀──▶ dialing ─▶ relaying ─▶ closing ─▶ report
 *         │           │            │                      ▲
 *         └───────────┴────────────┴──────────────────────┘ refused, given up, the client has left, cut
 *
 * A link may end in every stage. The session is over, and reported, with the last of its links; its lease is released
 * with the backend's.
 */
import type { AdmissionContext, ListenerState, PendingClient } from './admission/pending-client.ts';
import type { Backend } from './backend.ts';
import type { Activity, ConnectFailure, LinkEnd, LinkId } from './contract.ts';
import type { Deadlines, Due } from './deadlines.ts';
import type { Lease } from './lease.ts';
import type { ListenerPermit } from './limits.ts';
import type { Lingering } from './lingering.ts';
import type { Links } from './links.ts';
import type { Listeners } from './listeners.ts';
import type { Endpoint } from './net/endpoint.ts';
import type { PoolSlot } from './plan.ts';
import type { Pools } from './pools.ts';
import type { Queues } from './queues.ts';
import type { EndedBy, Reason } from './reasons.ts';
import type { FailedDial, SessionRecord } from './reports.ts';
import { uniqueIdText } from './sent-proxy-header.ts';
import { notBegun, type Stage } from './stages/stage.ts';

/** Something that is called when its time has come. */
export interface Timed extends Due {
  due(nowMs: number): void;
}

/** What a session is given by the core. */
export interface SessionContext extends AdmissionContext {
  readonly activity: Activity;
  readonly random: () => number;
  readonly deadlines: Deadlines<Timed>;
  readonly links: Links<Session>;
  /** Those whose client is neither relayed nor sent away yet, in the order in which they came. */
  readonly unserved: Set<Session>;
  readonly listeners: Listeners;
  readonly pools: Pools;
  readonly queues: Queues;
  readonly lingering: Lingering;
}

export type Side = 'client' | 'backend';

export interface Ending {
  readonly reason: Reason;
  readonly endedBy: EndedBy;
  readonly detail?: string | undefined;
}

/**
 * Fields belong to the stages, which read and set them. The core hands events to the stage, and here those that say
 * something of the session in every stage.
 */
export class Session implements Timed {
  heapIndex = -1;
  readonly context: SessionContext;
  /** By the plan that was in force when it came. */
  readonly listener: ListenerState;
  readonly acceptedMs: number;
  /** Given once in a worker's life. */
  readonly serial: number;
  /** The client's link. */
  readonly link: LinkId;
  isClientOpen = true;
  stage: Stage = notBegun;
  /** The client, as admission knows it by now. */
  client: Endpoint;
  /** What admission has learned; undefined where there is nothing to remember. */
  learned: PendingClient | undefined;
  permit: ListenerPermit | undefined;
  uniqueId: Uint8Array | undefined;
  poolName: string | undefined;
  /** Dials so far, and the backend that was dialed last. */
  attempts = 0;
  lastBackend: Backend | undefined;
  /** Those of them that have failed and were no fault of ours. */
  failedDials: readonly FailedDial[] | undefined;
  queueMs = 0;
  /** The pool of the backend that serves it, once one does, and since when. */
  servedBy: PoolSlot | undefined;
  servedSinceMs: number | undefined;
  /** There is one, with its link, as long as that has not ended. */
  lease: Lease | undefined;
  /** The first FIN. */
  halfClose: { readonly by: Side; readonly atMs: number } | undefined;
  bytesToClient = 0;
  bytesToBackend = 0;
  // In whole microseconds: up to half an hour such a number takes no memory beside its field, one with a fraction 16
  // bytes.
  private connectUs: number | undefined;
  private firstByteUs: number | undefined;

  constructor(link: LinkId, peer: Endpoint, listener: ListenerState, context: SessionContext, nowMs: number) {
    this.context = context;
    this.listener = listener;
    this.acceptedMs = nowMs;
    this.serial = context.listeners.began(listener.plan.slot);
    this.link = link;
    this.client = peer;
  }

  /** How long the dial took that succeeded. */
  get connectMs(): number | undefined {
    return this.connectUs && this.connectUs / 1_000;
  }

  set connectMs(tookMs: number) {
    this.connectUs = Math.round(tookMs * 1_000);
  }

  /** From dialed to the backend's first byte. */
  get firstByteMs(): number | undefined {
    return this.firstByteUs && this.firstByteUs / 1_000;
  }

  set firstByteMs(tookMs: number) {
    this.firstByteUs = Math.round(tookMs * 1_000);
  }

  halfClosed(link: LinkId, heldBytes: number, nowMs: number): void {
    this.halfClose ??= { by: sideOf(link), atMs: nowMs };
    this.stage.halfClosed(heldBytes, nowMs);
  }

  /** The last event of a link that was dialed. */
  connectFailed(why: ConnectFailure, detail: string, nowMs: number): void {
    this.stage.connectFailed(why, detail, nowMs);
    this.endIfUnlinked(nowMs);
  }

  /** A link's last event. */
  closed(link: LinkId, end: LinkEnd, sentBytes: number, nowMs: number): void {
    if (sideOf(link) === 'client') {
      this.isClientOpen = false;
      this.bytesToClient = sentBytes;
      this.stage.clientClosed(end, nowMs);
    } else {
      this.bytesToBackend = sentBytes;
      this.stage.backendClosed(end, nowMs);
    }
    this.endIfUnlinked(nowMs);
  }

  due(nowMs: number): void {
    this.stage.due(nowMs);
  }

  /** When the stage is over by time; `Infinity` where it never is. */
  get dueMs(): number {
    return this.context.deadlines.dueMsOf(this);
  }

  /** Sets when the stage is over by time. */
  setTimer(dueMs: number): void {
    this.context.deadlines.set(this, dueMs);
  }

  /** The backend's link has ended: its place is free. */
  releaseLease(nowMs: number): void {
    const { lease } = this;
    if (lease === undefined) return;
    this.lease = undefined;
    lease.release(nowMs);
    this.context.queues.freed(lease.pool);
  }

  private endIfUnlinked(nowMs: number): void {
    if (!this.isClientOpen && this.lease === undefined) this.stage.over(nowMs);
  }

  /** Counts the session and reports it. */
  end({ reason, endedBy, detail }: Ending, nowMs: number): void {
    const { context, listener, lastBackend, connectMs, learned } = this;
    const { slot, name } = listener.plan;
    const { ledger } = context;
    if (this.servedBy !== undefined && this.servedSinceMs !== undefined && lastBackend !== undefined) {
      ledger.countBackendClosed(lastBackend.slot, reason);
      ledger.servedDuration.observe(this.servedBy, nowMs - this.servedSinceMs);
    }
    this.permit?.release(ledger);
    context.deadlines.remove(this);
    const durationMs = nowMs - this.acceptedMs;
    ledger.countClosed(slot, reason);
    ledger.sessionDuration.observe(slot, durationMs);
    context.listeners.ended(slot);
    const record: SessionRecord = {
      listener: name,
      client: this.client,
      pool: this.poolName,
      backend: lastBackend?.plan.name,
      backendName: lastBackend?.plan.hostName,
      attempts: this.attempts,
      queueMs: this.queueMs,
      connectMs,
      firstByteMs: this.firstByteMs,
      durationMs,
      bytesToBackend: this.bytesToBackend,
      bytesToClient: this.bytesToClient,
      reason,
      endedBy,
      dials: this.attempts > 1 ? this.failedDials : undefined,
      isEmpty: reason === 'client-left' && this.poolName === undefined && learned?.hasSpoken === false,
      sni: learned?.sni,
      protocol: learned?.protocol,
      alpn: learned?.alpn,
      tlsVersion: learned?.tls?.version,
      clientSubject: learned?.tls?.clientSubject,
      uniqueId: this.uniqueId && uniqueIdText(this.uniqueId),
      detail,
    };
    context.command({ kind: 'report', record });
  }
}

function sideOf(link: LinkId): Side {
  return link & 1 ? 'backend' : 'client';
}
