/**
 * One client connection, from accept to its log line:
 *
 *     arriving ─▶ (refused) ──────────────────────────────────────────────▶ closing ─▶ ended
 *         │                                                                   ▲ ▲ ▲
 *         ├──▶ queued ── time is over, queue given up ────────────────────────┘ │ │
 *         │      │                                                              │ │
 *         └──────┴──▶ dialing ── failed, dials used up ─────────────────────────┘ │
 *                      │  ▲ └─ failed ─▶ (another backend) or backing-off ─▶ dialing │
 *                      ▼                                                          │
 *                   relaying ── idle, half-closed, lifetime, drained, down ───────┘
 *
 * `ended` may come in every stage: then the client (or, relaying, the backend) has reset or finished. What it
 * takes to arrive is in `arrival.ts`, which backend to dial next in `search.ts`.
 */
import { networkText } from './addresses.ts';
import { Arrival, type Entrance, type Standing } from './arrival.ts';
import type {
  Activity,
  BackendSlot,
  Client,
  Command,
  CoreEvent,
  ListenerSlot,
  SessionId,
} from './contract.ts';
import type { Deadlines, Due } from './deadlines.ts';
import { Lease } from './lease.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Entry } from './limits.ts';
import type { ListenerPlan, PoolSlot, SentProxyProtocol } from './plan.ts';
import type { NoLease, Pool } from './pool.ts';
import { newUniqueId, preamble, uniqueIdText } from './preamble.ts';
import type { EndedBy, Reason } from './reasons.ts';
import { relayEnd } from './relay-end.ts';
import { type DialFault, Search } from './search.ts';

/** What a session needs of the core around it. */
export interface Surroundings {
  readonly ledger: Ledger;
  readonly activity: Activity;
  readonly random: () => number;
  readonly deadlines: Deadlines<Session>;
  command(command: Command): void;
  /** The pool that a plan means by a slot; undefined where it is gone, whoever has its slot now. */
  pool(slot: PoolSlot | undefined, by: Entrance): Pool<Session> | undefined;
  /** A listener as it is now, or was last. */
  entrance(listener: ListenerSlot): Entrance | undefined;
  /** A place in this pool may be free now. */
  freed(pool: Pool<Session>): void;
  /** A session has joined this pool's queue. */
  waitedFor(pool: Pool<Session>): void;
}

type Stage =
  | { readonly name: 'arriving' }
  | { readonly name: 'queued' }
  | { readonly name: 'backing-off' }
  | { readonly name: 'dialing'; readonly lease: Lease; readonly sinceMs: number }
  | { readonly name: 'relaying'; readonly lease: Lease }
  | {
      readonly name: 'closing';
      readonly lease: Lease | undefined;
      readonly reason: Reason;
      readonly endedBy: EndedBy;
    };

type EventOf<Kind extends CoreEvent['kind']> = Extract<CoreEvent, { readonly kind: Kind }>;

/** How long a client that was sent FIN may take to close, before it is reset. */
const lingerMs = 1_000;

/** How long a dial may still take once its client has finished without a byte, before the client has left. */
const partingMs = 100;

export class Session implements Due {
  dueMs = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly #id: SessionId;
  readonly #listener: ListenerPlan;
  /** Forgotten once it is over, where there is nothing about it to remember. */
  #arrival: Arrival | undefined;
  #client: Client;
  #entry: Entry | undefined;
  #pool: Pool<Session> | undefined;
  readonly #acceptedMs: number;
  readonly #around: Surroundings;
  #stage: Stage = { name: 'arriving' };
  readonly #search = new Search();
  #queuedSinceMs = 0;
  #queueMs = 0;
  #connectMs: number | undefined;
  #uniqueId: Uint8Array | undefined;
  #leftMs: number | undefined;
  #failedHandshake: Pick<EventOf<'secure-failed'>, 'sni' | 'detail'> | undefined;
  #relayingSinceMs = 0;
  #halfClosedSinceMs: number | undefined;

  constructor(
    { session, client }: EventOf<'accepted'>,
    entrance: Entrance,
    around: Surroundings,
    nowMs: number,
  ) {
    this.#id = session;
    this.#client = client;
    this.#listener = entrance.plan;
    this.#arrival = new Arrival(session, client, entrance, around);
    this.#around = around;
    this.#acceptedMs = nowMs;
  }

  get listener(): ListenerSlot {
    return this.#listener.slot;
  }

  begin(nowMs: number): void {
    this.#around.ledger.countAccepted(this.#listener.slot);
    this.#proceed(this.#arrival?.begin(nowMs), nowMs);
  }

  received(bytes: Uint8Array, nowMs: number): void {
    if (this.#stage.name === 'arriving') this.#proceed(this.#arrival?.received(bytes, nowMs), nowMs);
  }

  secured(tls: EventOf<'secured'>, nowMs: number): void {
    if (this.#stage.name === 'arriving') this.#proceed(this.#arrival?.secured(tls, nowMs), nowMs);
  }

  /** The alert that says why is on its way: RST would overtake it. */
  secureFailed(failed: EventOf<'secure-failed'>, nowMs: number): void {
    if (this.#stage.name !== 'arriving') return;
    this.#failedHandshake = failed;
    this.#close('tls-failed', 'proxy', 'fin', nowMs);
  }

  /** The first in the queue tries its luck; says whether it has left the queue. */
  tryLeaveQueue(nowMs: number): boolean {
    const pool = this.#pool;
    if (pool === undefined) return false;
    const placed = this.#search.place(pool, this.#source, nowMs);
    if (placed === 'pool-full') return false;
    this.#leaveQueue(nowMs);
    this.#goOn(placed, nowMs);
    return true;
  }

  /** Its pool is gone: the session goes to another, by the new plan, without having waited in vain. */
  reroute(entrance: Entrance, nowMs: number): void {
    this.#leaveQueue(nowMs);
    const arrival = this.#arrival ?? new Arrival(this.#id, this.#client, entrance, this.#around);
    this.#pool = this.#around.pool(arrival.poolBy(entrance), entrance);
    this.#standInLine(nowMs);
  }

  dialed(nowMs: number): void {
    if (this.#stage.name !== 'dialing' || this.#pool === undefined) return;
    const { lease, sinceMs } = this.#stage;
    const { ledger } = this.#around;
    lease.settle('succeeded', nowMs);
    this.#connectMs = nowMs - sinceMs;
    ledger.connectDuration.observe(this.#pool.slot, this.#connectMs);
    ledger.countBackendConnection(lease.backend.slot);
    this.#stage = { name: 'relaying', lease };
    this.#relayingSinceMs = nowMs;
    this.#around.command({ kind: 'relay', session: this.#id });
    this.#watchTime(nowMs);
  }

  dialFailed(why: DialFault, nowMs: number): void {
    if (this.#stage.name !== 'dialing' || this.#pool === undefined) return;
    const { lease } = this.#stage;
    const { ledger, random } = this.#around;
    const { policy } = this.#pool;
    this.#search.fail(lease, why, ledger, nowMs);
    this.#release(lease, nowMs);
    this.#stage = { name: 'backing-off' };
    const noMore = this.#search.spent(policy);
    if (noMore !== undefined) this.#refuse(noMore, nowMs);
    else if (why === 'exhausted') this.#backOff(this.#search.backOff(policy, random), nowMs);
    else this.#seekBackend(nowMs);
  }

  halfClosed({ unsentBytes }: EventOf<'half-closed'>, nowMs: number): void {
    this.#halfClosedSinceMs ??= nowMs;
    if (this.#stage.name === 'arriving') this.#proceed(this.#arrival?.finished(unsentBytes, nowMs), nowMs);
    else if (this.#stage.name === 'relaying') this.#watchTime(nowMs);
    else if (this.#stage.name !== 'closing' && unsentBytes === 0) {
      // Who has sent nothing and finished has left, as far as one can tell; unless it waits for a server that
      // speaks first, which a dial that is under way will soon show.
      if (this.#stage.name !== 'dialing') return this.#leave(nowMs);
      this.#leftMs = nowMs + partingMs;
      this.#setDue(Math.min(this.dueMs, this.#leftMs));
    }
  }

  ended(event: EventOf<'ended'>, nowMs: number): void {
    const { ledger, deadlines, command } = this.#around;
    const [reason, endedBy] = this.#outcome(event);
    this.#leaveQueue(nowMs);
    if ('lease' in this.#stage && this.#stage.lease !== undefined) {
      const { lease } = this.#stage;
      ledger.countBackendBytes(lease.backend.slot, event.bytesToBackend, event.bytesToClient);
      this.#release(lease, nowMs);
    }
    this.#entry?.release();
    deadlines.remove(this);
    const durationMs = nowMs - this.#acceptedMs;
    ledger.countClosed(this.#listener.slot, reason);
    ledger.sessionDuration.observe(this.#listener.slot, durationMs);
    command({
      kind: 'report',
      record: {
        listener: this.#listener.name,
        client: this.#client,
        pool: this.#pool?.name,
        backend: this.#search.backendName,
        attempts: this.#search.attempts,
        queueMs: this.#queueMs,
        connectMs: this.#connectMs,
        durationMs,
        bytesToBackend: event.bytesToBackend,
        bytesToClient: event.bytesToClient,
        reason,
        endedBy,
        isEmpty:
          reason === 'client-left' && this.#pool === undefined && this.#arrival?.saidNothing(event) === true,
        detail: this.#failedHandshake?.detail,
        sni: this.#failedHandshake?.sni ?? this.#arrival?.sni,
        protocol: this.#arrival?.protocol,
        uniqueId: this.#uniqueId && uniqueIdText(this.#uniqueId),
      },
    });
  }

  /** The time set with `#setDue` has come. */
  due(nowMs: number): void {
    switch (this.#stage.name) {
      case 'arriving':
        return this.#proceed(this.#arrival?.due(nowMs), nowMs);
      case 'queued':
        return this.#refuse('queue-timeout', nowMs);
      case 'backing-off':
        return this.#seekBackend(nowMs);
      case 'dialing':
        if (this.#leftMs !== undefined && nowMs >= this.#leftMs) return this.#leave(nowMs);
        this.#around.command({ kind: 'abort-dial', session: this.#id });
        return this.dialFailed('connect-timeout', nowMs);
      case 'relaying':
        return this.#watchTime(nowMs);
      case 'closing':
        this.#around.command({ kind: 'close', session: this.#id, how: 'reset' });
    }
  }

  /** Ends the session where its pool wants so and the backend is the one that it has. */
  backendWentDown(backend: BackendSlot, nowMs: number): void {
    if (this.#stage.name !== 'relaying' || this.#stage.lease.backend.slot !== backend) return;
    if (this.#pool?.policy.whenBackendDown === 'close') this.cut('backend-down', nowMs);
  }

  /** Ends the session because the proxy wants to; what was under way is cut, and both sides see it. */
  cut(reason: 'drain-timeout' | 'backend-down' | 'operator', nowMs: number): void {
    if (this.#stage.name !== 'closing') this.#close(reason, 'proxy', 'reset', nowMs);
  }

  /** Relaying: ends the session if its time is over, or sets when to look again. */
  #watchTime(nowMs: number): void {
    const end = relayEnd(this.#listener.policy.timeouts, {
      acceptedMs: this.#acceptedMs,
      relayingSinceMs: this.#relayingSinceMs,
      halfClosedSinceMs: this.#halfClosedSinceMs,
      lastByteMs: this.#around.activity.lastByteMs(this.#id),
    });
    if (nowMs < end.atMs) return this.#setDue(end.atMs);
    // A silent session ends in order; one cut while it may be talking must not look complete.
    this.#close(end.reason, 'proxy', end.reason === 'lifetime-exceeded' ? 'reset' : 'fin', nowMs);
  }

  #proceed(standing: Standing | undefined, nowMs: number): void {
    const arrival = this.#arrival;
    if (arrival === undefined || standing === undefined) return;
    this.#client = arrival.client;
    this.#entry = arrival.entry;
    this.#uniqueId = arrival.tlvs?.uniqueId;
    switch (standing) {
      case 'waiting':
        return this.#setDue(arrival.dueMs);
      case 'routed':
        this.#pool = this.#around.pool(arrival.pool, arrival.entrance);
        if (arrival.isPlain) this.#arrival = undefined;
        return this.#enter(arrival, nowMs);
      case 'client-left':
        return this.#leave(nowMs);
      case 'tls-failed':
        this.#failedHandshake = { sni: undefined, detail: 'handshake timed out' };
        return this.#refuse(standing, nowMs);
      default:
        return this.#refuse(standing, nowMs);
    }
  }

  /** Where a reload took its pool away while the session arrived, it goes where the new plan says. */
  #enter({ entrance }: Arrival, nowMs: number): void {
    const now = this.#around.entrance(this.listener);
    if (this.#pool !== undefined || now === undefined || now === entrance) this.#standInLine(nowMs);
    else this.reroute(now, nowMs);
  }

  /** Nobody overtakes those who wait already, on this worker or another. */
  #standInLine(nowMs: number): void {
    if (this.#pool === undefined || !this.#pool.queue.isWaitedIn) this.#seekBackend(nowMs);
    else this.#wait(this.#pool, nowMs);
  }

  #seekBackend(nowMs: number): void {
    const pool = this.#pool;
    this.#goOn(pool && this.#search.place(pool, this.#source, nowMs), nowMs);
  }

  /** Dials, or does what is left where there is nobody to dial. */
  #goOn(placed: Lease | NoLease = 'no-backend', nowMs: number): void {
    if (placed instanceof Lease) return this.#dial(placed, nowMs);
    const pool = this.#pool;
    const fallback = this.#search.without(placed, pool?.policy, this.#around.random);
    if (typeof fallback === 'number') this.#backOff(fallback, nowMs);
    else if (fallback !== 'queue') this.#refuse(fallback, nowMs);
    else if (pool !== undefined) this.#wait(pool, nowMs);
  }

  #wait(pool: Pool<Session>, nowMs: number): void {
    if (this.#hasLeft) return this.#leave(nowMs);
    const { size, timeoutMs } = pool.policy.limits.queue;
    if (!pool.queue.join(this, size)) return this.#refuse(this.#search.giveUp('queue-full'), nowMs);
    this.#stage = { name: 'queued' };
    this.#queuedSinceMs = nowMs;
    this.#around.waitedFor(pool);
    this.#setDue(nowMs + timeoutMs);
  }

  #leaveQueue(nowMs: number): void {
    if (this.#stage.name !== 'queued') return;
    this.#stage = { name: 'backing-off' };
    this.#queueMs += nowMs - this.#queuedSinceMs;
    this.#pool?.queue.leave(this);
  }

  #backOff(waitMs: number, nowMs: number): void {
    if (this.#hasLeft) return this.#leave(nowMs);
    this.#stage = { name: 'backing-off' };
    this.#setDue(nowMs + waitMs);
  }

  #dial(lease: Lease, nowMs: number): void {
    this.#search.begin(lease);
    this.#stage = { name: 'dialing', lease, sinceMs: nowMs };
    const { slot, address, hostName } = lease.backend;
    const connect = this.#pool?.policy.connect;
    this.#around.command({
      kind: 'dial',
      session: this.#id,
      backend: slot,
      address,
      preamble: this.#preamble(connect?.proxyProtocol ?? 'off'),
      tls: connect === undefined || connect.tls === 'off' ? undefined : connect.tls,
      hostName,
    });
    this.#setDue(Math.min(this.#leftMs ?? Number.POSITIVE_INFINITY, nowMs + (connect?.timeoutMs ?? 0)));
  }

  #preamble(sent: SentProxyProtocol | 'off'): Uint8Array | undefined {
    if (sent === 'off') return undefined;
    const { activity, random } = this.#around;
    if (sent.include.includes('unique-id')) this.#uniqueId ??= newUniqueId(random);
    const destination = this.#arrival?.destination ?? activity.arrivedAt(this.#id);
    return preamble(
      sent,
      { client: this.#client, destination },
      { sni: this.#arrival?.sni, alpn: this.#arrival?.alpn, uniqueId: this.#uniqueId },
    );
  }

  /** By what `source-hash` knows the client. */
  get #source(): string {
    if (this.#pool?.policy.balance !== 'source-hash') return this.#client.address;
    return networkText(this.#client.address, this.#listener.policy.limits.perClient.ipv6Prefix);
  }

  get #hasLeft(): boolean {
    return this.#leftMs !== undefined;
  }

  #leave(nowMs: number): void {
    this.#close('client-left', 'client', 'fin', nowMs);
  }

  #refuse(reason: Reason, nowMs: number): void {
    const how = this.#listener.policy.refuseWith === 'reset' ? 'reset' : 'fin';
    this.#close(reason, 'proxy', how, nowMs);
  }

  #close(reason: Reason, endedBy: EndedBy, how: 'reset' | 'fin', nowMs: number): void {
    this.#leaveQueue(nowMs);
    const lease = 'lease' in this.#stage ? this.#stage.lease : undefined;
    this.#stage = { name: 'closing', lease, reason, endedBy };
    this.#around.command({ kind: 'close', session: this.#id, how });
    this.#setDue(how === 'fin' ? nowMs + lingerMs : Number.POSITIVE_INFINITY);
  }

  #outcome({ how, endedBy }: EventOf<'ended'>): readonly [Reason, EndedBy] {
    if (this.#stage.name === 'closing') return [this.#stage.reason, this.#stage.endedBy];
    if (this.#stage.name !== 'relaying') return ['client-left', 'client'];
    return [how === 'closed' ? 'operator' : how, endedBy];
  }

  #release(lease: Lease, nowMs: number): void {
    lease.release(nowMs);
    if (this.#pool !== undefined) this.#around.freed(this.#pool);
  }

  #setDue(dueMs: number): void {
    this.#around.deadlines.set(this, dueMs);
  }
}
