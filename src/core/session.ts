/**
 * One client's link and, once dialed, its backend's, from accept to the log line:
 *
 *     admission ─▶ (refused) ──────────────────────────────────────────────────▶ closing ─▶ report
 *         │                                                                        ▲ ▲ ▲
 *         └─▶ placing: dialing, or queued, or backing off ── given up ─────────────┘ │ │
 *               │ ▲                                                                  │ │
 *               ▼ └─ connect-failed, or closed once its time was over ── dials used up │
 *             dialing: connect, then start-tls where the pool wants it ──────────────┘ │
 *               ▼                                                                      │
 *             relaying ── idle, half-closed, lifetime, drained, down, or a peer's RST ─┘
 *
 * A link may end in every stage. The session is over, and reported, with the last of its links; its lease is released
 * with the backend's. What a client passes before it has a pool is in `admission/`, which backend to dial next in
 * `dial-attempts.ts`, what ends a stage by time in `session-timers.ts`.
 */
import { Admission, type AdmissionResult, poolBy } from './admission/admission.ts';
import type { ListenerState } from './admission/listener-state.ts';
import { type AdmissionContext, PendingClient } from './admission/pending-client.ts';
import type { Activity, BackendSlot, ConnectFailure, LinkEnd, LinkId, TlsSession } from './contract.ts';
import type { Deadlines, Due } from './deadlines.ts';
import { DialAttempts, type DialFault } from './dial-attempts.ts';
import { Lease } from './lease.ts';
import type { ListenerPermit } from './limits.ts';
import type { Links } from './links.ts';
import type { Endpoint } from './net/endpoint.ts';
import type { BackendTls, ListenerSlot, PoolSlot, SentProxyProtocol } from './plan.ts';
import type { NoLease, Pool } from './pool.ts';
import type { EndedBy, Reason } from './reasons.ts';
import { newUniqueId, sentProxyHeader, uniqueIdText } from './sent-proxy-header.ts';
import { dialTimers, lingerMs, relayTimers, soonest } from './session-timers.ts';

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
  /** The pool that a plan means by a slot; undefined where it is gone, whatever has its slot now. */
  pool(slot: PoolSlot | undefined, by: ListenerState): Pool<Session> | undefined;
  /** A listener as it is now, or was last. */
  listener(slot: ListenerSlot): ListenerState | undefined;
  /** A place in this pool may be free now. */
  freed(pool: Pool<Session>): void;
  /** The breaker of one of its backends has changed its state: so has what those that wait can hope for. */
  circuitChanged(pool: Pool<Session>): void;
  /** A session has joined this pool's queue. */
  waitedFor(pool: Pool<Session>): void;
  /** A client that was refused has been sent FIN and is waited for. */
  lingers(session: Session): void;
  ended(session: Session, nowMs: number): void;
}

type Stage =
  | { readonly name: 'admission'; readonly admission: Admission }
  | {
      readonly name: 'queued';
      readonly pool: Pool<Session>;
      readonly sinceMs: number;
      readonly untilMs: number;
    }
  | { readonly name: 'backing-off'; readonly pool: Pool<Session>; readonly untilMs: number }
  | {
      readonly name: 'dialing';
      readonly pool: Pool<Session>;
      readonly backend: BackendLink;
      readonly sinceMs: number;
      readonly untilMs: number;
    }
  /** The dial has failed and its link is being closed; the next may follow once that has ended. */
  | { readonly name: 'abandoning'; readonly pool: Pool<Session>; readonly why: DialFault }
  | { readonly name: 'relaying'; readonly pool: Pool<Session>; readonly sinceMs: number }
  | { readonly name: 'closing'; readonly ending: Ending; readonly linger: Linger | undefined };

/** There is one as long as its link has not ended. */
interface BackendLink {
  readonly link: LinkId;
  readonly lease: Lease;
  readonly pool: Pool<Session>;
}

/** A link is open still, and is reset in the end. */
interface Linger {
  /** When all that was to be sent had been; Infinity as long as it has not. */
  emptySinceMs: number;
  resetMs: number;
}

interface Ending {
  readonly reason: Reason;
  readonly endedBy: EndedBy;
  readonly detail?: string | undefined;
}

type Side = 'client' | 'backend';

/** How long a dial may still take once its client has finished without a byte, before the client has left. */
const partingMs = 100;

const never = Number.POSITIVE_INFINITY;

export class Session implements Timed {
  dueMs = never;
  heapMs = never;
  heapIndex = -1;
  readonly listener: ListenerState;
  readonly acceptedMs: number;
  readonly #context: SessionContext;
  readonly #clientLink: LinkId;
  #clientIsOpen = true;
  #backend: BackendLink | undefined;
  #stage: Stage;
  #client: Endpoint;
  /** What admission has learned; undefined where there is nothing to remember. */
  #admitted: PendingClient | undefined;
  #permit: ListenerPermit | undefined;
  #poolName: string | undefined;
  readonly #attempts = new DialAttempts();
  #queueMs = 0;
  #connectMs: number | undefined;
  #uniqueId: Uint8Array | undefined;
  /** The backend that took the session. */
  #servedBy: BackendSlot | undefined;
  /** When a client that has finished without a byte counts as gone. */
  #leftMs = never;
  #halfClosedMs = never;
  #halfClosedBy: Side | undefined;
  #bytesToClient = 0;
  #bytesToBackend = 0;

  constructor(link: LinkId, peer: Endpoint, listener: ListenerState, context: SessionContext, nowMs: number) {
    this.#clientLink = link;
    this.#client = peer;
    this.listener = listener;
    this.#context = context;
    this.acceptedMs = nowMs;
    this.#stage = {
      name: 'admission',
      admission: new Admission(new PendingClient(link, peer, listener, context)),
    };
  }

  begin(nowMs: number): void {
    this.#context.ledger.countAccepted(this.listener.plan.slot);
    if (this.#stage.name === 'admission') this.#judge(this.#stage.admission.begin(nowMs), nowMs);
  }

  received(bytes: Uint8Array, nowMs: number): void {
    if (this.#stage.name === 'admission') this.#judge(this.#stage.admission.received(bytes, nowMs), nowMs);
  }

  tlsEstablished(tls: TlsSession, nowMs: number): void {
    if (this.#stage.name === 'admission')
      this.#judge(this.#stage.admission.tlsEstablished(tls, nowMs), nowMs);
    else if (this.#stage.name === 'dialing') this.#relay(this.#stage.pool, undefined, nowMs);
  }

  tlsFailed(detail: string, nowMs: number): void {
    if (this.#stage.name === 'admission') this.#judge(this.#stage.admission.tlsFailed(detail, nowMs), nowMs);
    else if (this.#stage.name === 'dialing') this.#abandon('connect-failed', detail, nowMs);
  }

  connected(nowMs: number): void {
    if (this.#stage.name !== 'dialing') return;
    const { pool, backend } = this.#stage;
    const { tls, proxyProtocol } = pool.policy.connect;
    const first = this.#proxyHeader(proxyProtocol);
    if (tls === 'off') return this.#relay(pool, first, nowMs);
    const { link } = backend;
    const serverName = nameOf(backend, tls);
    this.#context.command({ kind: 'start-tls', link, as: 'client', tls, serverName, first });
  }

  connectFailed(why: ConnectFailure, detail: string, nowMs: number): void {
    const stage = this.#stage;
    if (stage.name === 'dialing') this.#failDial(stage.backend, why, detail, nowMs);
    this.#releaseBackend(nowMs);
    if (stage.name === 'dialing') this.#goOn(stage.pool, why, nowMs);
    else if (stage.name === 'abandoning') this.#goOn(stage.pool, stage.why, nowMs);
    this.#endIfOver(nowMs);
  }

  halfClosed(link: LinkId, heldBytes: number, nowMs: number): void {
    if (this.#halfClosedBy === undefined) {
      this.#halfClosedBy = this.#sideOf(link);
      this.#halfClosedMs = nowMs;
    }
    switch (this.#stage.name) {
      case 'admission':
        return this.#judge(this.#stage.admission.finished(heldBytes, nowMs), nowMs);
      case 'relaying':
        return this.#watch(nowMs);
      case 'closing':
        return;
      case 'dialing':
        // A client that has sent nothing and finished has left, as far as one can tell; unless it waits for a
        // server that speaks first, which a dial that is under way will soon show.
        if (heldBytes > 0) return;
        this.#leftMs = nowMs + partingMs;
        return this.#setTimer();
      default:
        if (heldBytes === 0) this.#leave(nowMs);
    }
  }

  /** A link's last event. */
  closed(link: LinkId, end: LinkEnd, sentBytes: number, nowMs: number): void {
    const side = this.#sideOf(link);
    if (side === 'client') {
      this.#clientIsOpen = false;
      this.#bytesToClient = sentBytes;
      this.#clientClosed(end, nowMs);
    } else this.#backendClosed(end, sentBytes, nowMs);
    this.#endIfOver(nowMs);
  }

  /** The first in the queue looks for a backend; returns whether it has left the queue. */
  tryLeaveQueue(nowMs: number): boolean {
    if (this.#stage.name !== 'queued') return false;
    const { pool } = this.#stage;
    const placed = this.#attempts.place(pool, this.#source, nowMs);
    if (placed === 'pool-full') return false;
    this.#leaveQueue(nowMs);
    this.#place(pool, placed, nowMs);
    return true;
  }

  /** Its pool is gone: the session goes to another, by the new plan, without having waited in vain. */
  reroute(listener: ListenerState, nowMs: number): void {
    this.#leaveQueue(nowMs);
    const client =
      this.#admitted ?? new PendingClient(this.#clientLink, this.#client, listener, this.#context);
    this.#enterPool(this.#context.pool(poolBy(listener, client), listener), nowMs);
  }

  due(nowMs: number): void {
    switch (this.#stage.name) {
      case 'admission':
        return this.#judge(this.#stage.admission.expired(nowMs), nowMs);
      case 'queued':
        return this.#refuse({ reason: 'queue-timeout' }, nowMs);
      case 'backing-off':
        return this.#seekBackend(this.#stage.pool, nowMs);
      case 'dialing':
        if (soonest(dialTimers, this.#dialTimes(this.#stage.untilMs)).name === 'client-left')
          return this.#leave(nowMs);
        return this.#abandon('connect-timeout', undefined, nowMs);
      case 'relaying':
        return this.#watch(nowMs);
      case 'closing':
        return this.#linger(nowMs);
    }
  }

  /** Ends the session where its pool wants so and the backend is the one that it has. */
  backendWentDown(backend: BackendSlot, nowMs: number): void {
    if (this.#stage.name !== 'relaying' || this.#backend?.lease.backend.slot !== backend) return;
    if (this.#stage.pool.policy.whenBackendDown === 'close') this.cut('backend-down', nowMs);
  }

  /** Ends the session because the proxy wants to; what was under way is cut, and both sides see it. */
  cut(reason: 'drain-timeout' | 'backend-down' | 'overloaded', nowMs: number): void {
    if (this.#stage.name !== 'closing') return this.#close({ reason, endedBy: 'proxy' }, 'reset', nowMs);
    const { linger } = this.#stage;
    if (linger === undefined || linger.resetMs <= nowMs + lingerMs) return;
    linger.resetMs = nowMs + lingerMs;
    this.#setTimer(nowMs);
  }

  /** It was sent FIN and is waited for no longer. Returns whether a link was open still, and is reset. */
  stopLingering(): boolean {
    if (this.#stage.name !== 'closing' || this.#stage.linger === undefined) return false;
    this.#stage = { ...this.#stage, linger: undefined };
    this.#setTimer();
    return this.#resetWhatIsOpen();
  }

  /** Bytes that are held of a client that is not relayed. */
  get heldBytes(): number {
    const { name } = this.#stage;
    if (!this.#clientIsOpen || name === 'relaying' || name === 'closing') return 0;
    return this.#context.activity.waitingBytes(this.#clientLink);
  }

  get isInAdmission(): boolean {
    return this.#stage.name === 'admission';
  }

  #judge(result: AdmissionResult, nowMs: number): void {
    if (this.#stage.name !== 'admission') return;
    const { client } = this.#stage.admission;
    this.#client = client.endpoint;
    this.#permit = client.permit;
    this.#uniqueId = client.announced?.uniqueId;
    this.#admitted = client.isPlain ? undefined : client;
    if (result === 'waits') return this.#setTimer();
    if (result !== 'routed')
      return result.reason === 'client-left' ? this.#leave(nowMs) : this.#refuse(result, nowMs);
    const { listener } = client;
    const pool = this.#context.pool(client.pool, listener);
    // Where a reload took its pool away meanwhile, it goes where the new plan says.
    const now = this.#context.listener(listener.plan.slot);
    if (pool !== undefined || now === undefined || now === listener) this.#enterPool(pool, nowMs);
    else this.reroute(now, nowMs);
  }

  /** No session overtakes those that wait already, on this worker or another. */
  #enterPool(pool: Pool<Session> | undefined, nowMs: number): void {
    this.#poolName = pool?.name;
    if (pool === undefined) this.#giveUp('no-backend', nowMs);
    else if (pool.queue.isWaitedIn) this.#wait(pool, nowMs);
    else this.#seekBackend(pool, nowMs);
  }

  #seekBackend(pool: Pool<Session>, nowMs: number): void {
    this.#place(pool, this.#attempts.place(pool, this.#source, nowMs), nowMs);
  }

  /** Dials, or does what is left where there is no backend to dial. */
  #place(pool: Pool<Session>, placed: Lease | NoLease, nowMs: number): void {
    if (placed instanceof Lease) return this.#dial(pool, placed, nowMs);
    const fallback = this.#attempts.without(placed, pool.policy, this.#context.random);
    if (typeof fallback === 'number') this.#backOff(pool, fallback, nowMs);
    else if (fallback === 'queue') this.#wait(pool, nowMs);
    else this.#giveUp(fallback, nowMs);
  }

  #wait(pool: Pool<Session>, nowMs: number): void {
    if (this.#hasLeft) return this.#leave(nowMs);
    const { size, timeoutMs } = pool.policy.limits.queue;
    if (!pool.queue.join(this, size)) return this.#giveUp('queue-full', nowMs);
    this.#stage = { name: 'queued', pool, sinceMs: nowMs, untilMs: nowMs + timeoutMs };
    this.#context.waitedFor(pool);
    this.#setTimer();
  }

  #leaveQueue(nowMs: number): void {
    if (this.#stage.name !== 'queued' || !this.#stage.pool.queue.leave(this)) return;
    this.#queueMs += nowMs - this.#stage.sinceMs;
  }

  #backOff(pool: Pool<Session>, waitMs: number, nowMs: number): void {
    if (this.#hasLeft) return this.#leave(nowMs);
    this.#stage = { name: 'backing-off', pool, untilMs: nowMs + waitMs };
    this.#setTimer();
  }

  #dial(pool: Pool<Session>, lease: Lease, nowMs: number): void {
    this.#attempts.begin(lease);
    const link = this.#context.links.dial(this);
    const backend = { link, lease, pool };
    this.#backend = backend;
    const untilMs = nowMs + pool.policy.connect.timeoutMs;
    this.#stage = { name: 'dialing', pool, backend, sinceMs: nowMs, untilMs };
    this.#context.command({ kind: 'connect', link, address: lease.backend.address });
    this.#setTimer();
  }

  /** The dial has failed, and its link is there still: the lease is held until that has ended. */
  #abandon(why: DialFault, detail: string | undefined, nowMs: number): void {
    if (this.#stage.name !== 'dialing') return;
    const { pool, backend } = this.#stage;
    this.#failDial(backend, why, detail, nowMs);
    this.#context.command({ kind: 'close', link: backend.link, how: 'reset' });
    this.#stage = { name: 'abandoning', pool, why };
    this.#setTimer();
  }

  #failDial({ lease, pool }: BackendLink, why: DialFault, detail: string | undefined, nowMs: number): void {
    const hasOpened = this.#attempts.fail(lease, why, detail, this.#context.ledger, nowMs);
    if (hasOpened) this.#context.circuitChanged(pool);
  }

  /** After a failed dial. */
  #goOn(pool: Pool<Session>, why: DialFault, nowMs: number): void {
    const spent = this.#attempts.spent(pool.policy);
    if (spent !== undefined) this.#giveUp(spent, nowMs);
    else if (why === 'exhausted')
      this.#backOff(pool, this.#attempts.backOff(pool.policy, this.#context.random), nowMs);
    else this.#seekBackend(pool, nowMs);
  }

  #relay(pool: Pool<Session>, first: Uint8Array | undefined, nowMs: number): void {
    if (this.#stage.name !== 'dialing') return;
    const { backend, sinceMs } = this.#stage;
    const { slot } = backend.lease.backend;
    const { ledger } = this.#context;
    if (backend.lease.settle('succeeded', nowMs)) this.#context.circuitChanged(pool);
    this.#connectMs = nowMs - sinceMs;
    ledger.connectDuration.observe(pool.slot, this.#connectMs);
    ledger.countBackendConnection(slot);
    this.#servedBy = slot;
    this.#stage = { name: 'relaying', pool, sinceMs: nowMs };
    this.#context.command({ kind: 'join', client: this.#clientLink, backend: backend.link, first });
    this.#watch(nowMs);
  }

  #clientClosed(end: LinkEnd, nowMs: number): void {
    switch (this.#stage.name) {
      case 'relaying':
        return this.#relayEnded('client', end, nowMs);
      case 'closing':
        return;
      default:
        return this.#leave(nowMs);
    }
  }

  #backendClosed(end: LinkEnd, sentBytes: number, nowMs: number): void {
    const stage = this.#stage;
    if (stage.name === 'dialing') this.#failDial(stage.backend, 'connect-failed', leftInHandshake, nowMs);
    this.#releaseBackend(nowMs);
    if (stage.name === 'dialing') this.#goOn(stage.pool, 'connect-failed', nowMs);
    else if (stage.name === 'abandoning') this.#goOn(stage.pool, stage.why, nowMs);
    else this.#bytesToBackend = sentBytes;
    if (stage.name === 'relaying') this.#relayEnded('backend', end, nowMs);
  }

  /** One link of a pair has ended by itself; the other follows, and is reset if it takes too long. */
  #relayEnded(side: Side, end: LinkEnd, nowMs: number): void {
    if (end === 'finished') {
      if (this.#clientIsOpen || this.#backend !== undefined) return this.#watch(nowMs);
      const ending = { reason: 'finished', endedBy: this.#halfClosedBy ?? side } as const;
      this.#stage = { name: 'closing', ending, linger: undefined };
      return;
    }
    const endedBy = end === 'reset-with-partner' ? otherSide(side) : side;
    const reason = endedBy === 'client' ? 'client-reset' : 'backend-reset';
    const { halfClosedMs } = this.listener.plan.policy.timeouts;
    const atMostMs = end === 'closed-early' ? Math.max(lingerMs, halfClosedMs) : lingerMs;
    this.#stage = {
      name: 'closing',
      ending: end === 'closed' ? byOperator : { reason, endedBy },
      linger: { emptySinceMs: never, resetMs: nowMs + atMostMs },
    };
    this.#linger(nowMs);
  }

  /** Closing, and a link is open: it is reset in the end. Whatever it has still to be sent it may take its time for. */
  #linger(nowMs: number): void {
    if (this.#stage.name !== 'closing' || this.#stage.linger === undefined) return;
    const { linger } = this.#stage;
    const isOver = nowMs >= linger.resetMs || nowMs >= linger.emptySinceMs + lingerMs;
    if (isOver) return void this.stopLingering();
    if (linger.emptySinceMs === never && this.#openLinkIsEmpty) linger.emptySinceMs = nowMs;
    this.#setTimer(nowMs);
  }

  get #openLinkIsEmpty(): boolean {
    const link = this.#clientIsOpen ? this.#clientLink : this.#backend?.link;
    return link === undefined || this.#context.activity.waitingBytes(link) === 0;
  }

  /** The client's link, and with it its partner; or its partner alone. A dial that was given up is reset already. */
  #resetWhatIsOpen(): boolean {
    const partner = this.#servedBy === undefined ? undefined : this.#backend?.link;
    const link = this.#clientIsOpen ? this.#clientLink : partner;
    if (link !== undefined) this.#context.command({ kind: 'close', link, how: 'reset' });
    return link !== undefined;
  }

  /** Relaying: ends the session if its time is over, or sets when to look again. */
  #watch(nowMs: number): void {
    if (this.#stage.name !== 'relaying') return;
    const end = this.#relayEnd(this.#stage.sinceMs);
    if (nowMs < end.dueMs || end.name === undefined) return this.#context.deadlines.set(this, end.dueMs);
    // A silent session ends in order; one cut while it may be talking must not look complete.
    const how = end.name === 'lifetime-exceeded' ? 'reset' : 'fin';
    this.#close({ reason: end.name, endedBy: 'proxy' }, how, nowMs);
  }

  #relayEnd(sinceMs: number) {
    const link = this.#clientIsOpen ? this.#clientLink : this.#backend?.link;
    return soonest(relayTimers, {
      timeouts: this.listener.plan.policy.timeouts,
      acceptedMs: this.acceptedMs,
      relayingSinceMs: sinceMs,
      halfClosedMs: this.#halfClosedMs,
      lastByteMs: link === undefined ? 0 : this.#context.activity.lastByteMs(link),
    });
  }

  /** Made once a dial has succeeded. */
  #proxyHeader(sent: SentProxyProtocol | 'off'): Uint8Array | undefined {
    if (sent === 'off') return undefined;
    const { activity, random } = this.#context;
    const admitted = this.#admitted;
    if (sent.include.includes('unique-id')) this.#uniqueId ??= newUniqueId(random);
    const { client, destination } = admitted?.announced ?? {
      client: this.#client,
      destination: activity.localEndpoint(this.#clientLink),
    };
    return sentProxyHeader(
      sent,
      { client, destination },
      { sni: admitted?.sni, alpn: admitted?.alpn, uniqueId: this.#uniqueId },
    );
  }

  /** By what `source-hash` knows the client. */
  get #source(): Endpoint {
    return this.#client.network(this.listener.plan.policy.limits.perClient.ipv6Prefix);
  }

  get #hasLeft(): boolean {
    return this.#leftMs !== never;
  }

  #leave(nowMs: number): void {
    this.#close({ reason: 'client-left', endedBy: 'client' }, 'fin', nowMs);
  }

  #giveUp(reason: Reason, nowMs: number): void {
    const given = this.#attempts.giveUp(reason);
    this.#refuse({ reason: given, detail: this.#attempts.detail }, nowMs);
  }

  #refuse(
    refusal: { readonly reason: Reason; readonly detail?: string | undefined; readonly with?: 'fin' },
    nowMs: number,
  ): void {
    const { reason, detail, with: how } = refusal;
    const asListenerSays = this.listener.plan.policy.refuseWith === 'reset' ? 'reset' : 'fin';
    this.#close({ reason, endedBy: 'proxy', detail }, how ?? asListenerSays, nowMs);
  }

  #close(ending: Ending, how: 'reset' | 'fin', nowMs: number): void {
    this.#leaveQueue(nowMs);
    const { name } = this.#stage;
    const isWaitedFor = how === 'fin' && (this.#clientIsOpen || name === 'relaying');
    const linger = isWaitedFor ? { emptySinceMs: never, resetMs: nowMs + lingerMs } : undefined;
    this.#stage = { name: 'closing', ending, linger };
    if (name === 'dialing' && this.#backend !== undefined)
      this.#context.command({ kind: 'close', link: this.#backend.link, how: 'reset' });
    if (name === 'relaying' && !this.#clientIsOpen && this.#backend !== undefined)
      this.#context.command({ kind: 'close', link: this.#backend.link, how });
    if (this.#clientIsOpen) {
      this.#context.command({ kind: 'close', link: this.#clientLink, how });
      if (how === 'fin' && name !== 'relaying') this.#context.lingers(this);
    }
    this.#setTimer(nowMs);
  }

  #releaseBackend(nowMs: number): void {
    const backend = this.#backend;
    if (backend === undefined) return;
    this.#backend = undefined;
    backend.lease.release(nowMs);
    this.#context.freed(backend.pool);
  }

  /** The last of its links has ended. */
  #endIfOver(nowMs: number): void {
    if (this.#clientIsOpen || this.#backend !== undefined || this.#stage.name !== 'closing') return;
    const { reason, endedBy, detail } = this.#stage.ending;
    const { ledger, deadlines, command } = this.#context;
    const { slot, name } = this.listener.plan;
    if (this.#servedBy !== undefined)
      ledger.countBackendBytes(this.#servedBy, this.#bytesToBackend, this.#bytesToClient);
    this.#permit?.release();
    deadlines.remove(this);
    const durationMs = nowMs - this.acceptedMs;
    ledger.countClosed(slot, reason);
    ledger.sessionDuration.observe(slot, durationMs);
    this.#context.ended(this, nowMs);
    command({
      kind: 'report',
      record: {
        listener: name,
        client: this.#client,
        pool: this.#poolName,
        backend: this.#attempts.backendName,
        attempts: this.#attempts.count,
        queueMs: this.#queueMs,
        connectMs: this.#connectMs,
        durationMs,
        bytesToBackend: this.#bytesToBackend,
        bytesToClient: this.#bytesToClient,
        reason,
        endedBy,
        isEmpty:
          reason === 'client-left' && this.#poolName === undefined && this.#admitted?.hasSpoken === false,
        sni: this.#admitted?.sni,
        protocol: this.#admitted?.protocol,
        uniqueId: this.#uniqueId && uniqueIdText(this.#uniqueId),
        detail,
      },
    });
  }

  /** Sets when this stage is over. */
  #setTimer(nowMs = 0): void {
    this.#context.deadlines.set(this, this.#stageEndMs(nowMs));
  }

  #stageEndMs(nowMs: number): number {
    const stage = this.#stage;
    switch (stage.name) {
      case 'admission':
        return stage.admission.dueMs;
      case 'queued':
      case 'backing-off':
        return stage.untilMs;
      case 'dialing':
        return soonest(dialTimers, this.#dialTimes(stage.untilMs)).dueMs;
      case 'abandoning':
        return never;
      case 'relaying':
        return this.#relayEnd(stage.sinceMs).dueMs;
      case 'closing': {
        if (stage.linger === undefined) return never;
        const { emptySinceMs, resetMs } = stage.linger;
        return Math.min(resetMs, (emptySinceMs === never ? nowMs : emptySinceMs) + lingerMs);
      }
    }
  }

  #dialTimes(untilMs: number) {
    return { untilMs, leftMs: this.#leftMs };
  }

  #sideOf(link: LinkId): Side {
    return link & 1 ? 'backend' : 'client';
  }
}

function otherSide(side: Side): Side {
  return side === 'client' ? 'backend' : 'client';
}

/** The name that a backend must prove to have. What serves on a unix socket is this machine. */
function nameOf({ lease }: BackendLink, tls: BackendTls): string {
  const { hostName, address } = lease.backend;
  return tls.servername ?? hostName ?? ('path' in address ? 'localhost' : address.host);
}

/** A driver closed it without being told. */
const byOperator: Ending = { reason: 'operator', endedBy: 'proxy' };

const leftInHandshake = 'The backend closed the connection in its TLS handshake';
