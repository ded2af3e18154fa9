/**
 * The brain of one worker: takes events in, gives commands out. It finds the session that an event is about
 * and lets it decide; what concerns several sessions (a new plan, health, draining, running out of something) is
 * decided here, and who leaves a queue in `queues.ts`.
 */
import { Admission } from './admission/admission.ts';
import type { ListenerState } from './admission/pending-client.ts';
import type {
  Activity,
  BackendSlot,
  Command,
  Core,
  CoreEvent,
  LinkEvent,
  LinkId,
  ListenerSlot,
  PoolSlot,
} from './contract.ts';
import { Deadlines } from './deadlines.ts';
import { outOfDescriptors, outOfMemory } from './exhaustion.ts';
import type { Ledger } from './ledger/ledger.ts';
import { Lingering } from './lingering.ts';
import { Links } from './links.ts';
import { Listeners } from './listeners.ts';
import type { Endpoint } from './net/endpoint.ts';
import type { Plan, PoolPlan } from './plan.ts';
import { Pool } from './pool.ts';
import { Queues } from './queues.ts';
import { type QueuedSession, Session, type SessionContext, type Timed } from './session.ts';
import { matches, type SessionFilter, type SessionPage, type SessionView } from './session-list.ts';
import { viewOf } from './session-view.ts';
import type { Close } from './stages/stage.ts';
import type { FirstBytesReader } from './wire/sniffer.ts';

export interface CoreDeps {
  readonly ledger: Ledger;
  /** The worker's number, by which others wake it. */
  readonly worker: number;
  readonly activity: Activity;
  /** Gives numbers from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  readonly readFirstBytes?: () => FirstBytesReader;
}

/** A core without listeners: its first event is a plan. `links` is for those who want to see whose link is whose. */
export function createCore(deps: CoreDeps, links = new Links<Session>()): Core {
  return new SessionCore(deps, links);
}

/** Stands for the link of a client that was turned away. */
const noLink = -1;

/** Many clients may be silent, and a driver may ask each turn. */
const betweenVainLooksMs = 50;

/** Links, for a list of sessions, before bytes have their turn: a session has two. */
const mostLookedAt = 2_000;

class SessionCore implements Core {
  readonly #context: SessionContext;
  readonly #deadlines = new Deadlines<Timed>();
  readonly #links: Links<Session>;
  readonly #commands: Command[] = [];
  /** What is commanded about one event: the same list each time, so that an event costs none. */
  readonly #result = { count: 0, commands: this.#commands as readonly Command[] };
  readonly #listeners: Listeners;
  readonly #pools = new Map<PoolSlot, Pool<QueuedSession>>();
  readonly #queues: Queues;
  readonly #lingering = new Lingering();
  readonly #queueTimer = new WorkerTimer(() => this.#queues.wake());
  readonly #drainTimer = new WorkerTimer((nowMs) => this.#drained(nowMs));
  /** Whether a pool closes the sessions of a backend that goes down, or did. */
  #closesWhenDown = false;
  /** Until when none is looked for that could make room: there was none. */
  readonly #vainUntilMs = { memory: 0, descriptors: 0 };
  #serial = 0;
  activeSessions = 0;

  constructor({ ledger, worker, activity, random, readFirstBytes }: CoreDeps, links: Links<Session>) {
    const command = (command: Command): void => {
      this.#commands[this.#result.count++] = command;
    };
    this.#links = links;
    this.#listeners = new Listeners(ledger);
    this.#queues = new Queues({ worker, pools: this.#pools, command });
    this.#context = {
      ledger,
      activity,
      random,
      readFirstBytes,
      deadlines: this.#deadlines,
      links,
      unserved: new Set(),
      nextSerial: () => ++this.#serial,
      command,
      pool: (slot = -1, { poolNames }) => {
        const pool = this.#pools.get(slot);
        return pool?.name === poolNames.get(slot) ? pool : undefined;
      },
      listener: (slot) => this.#listeners.find(slot)?.state,
      freed: (pool) => this.#queues.freed(pool),
      circuitChanged: (pool) => this.#queues.circuitChanged(pool),
      waitedFor: (pool) => this.#queues.joined(pool),
      lingers: (session) => this.#lingering.add(session),
      ended: (session) => this.#ended(session),
    };
  }

  get nextDeadlineMs(): number | undefined {
    return this.#deadlines.nextMs;
  }

  handle(event: CoreEvent, nowMs: number): ReturnType<Core['handle']> {
    this.#result.count = 0;
    this.#links.freeEnded();
    this.#take(event, nowMs);
    if (this.#queues.mayMove) {
      this.#queues.serve(nowMs);
      this.#deadlines.set(this.#queueTimer, this.#queues.nextLookMs(nowMs));
    }
    return this.#result;
  }

  #take(event: CoreEvent, nowMs: number): void {
    switch (event.kind) {
      case 'accepted':
        return this.#accepted(event, nowMs);
      case 'deadline':
        return this.#due(nowMs);
      case 'woken':
        return this.#queues.wake();
      case 'turned-away':
        return this.#turnedAway(event.listener, event.peer, nowMs);
      case 'exhausted':
        return this.#exhausted(event.what, nowMs);
      case 'health-changed':
        return this.#healthChanged(event.backend, event.health, nowMs);
      case 'plan':
        return this.#follow(event.plan, nowMs);
      case 'end-sessions':
        return this.#endSessions(event.serials, event.how, nowMs);
      case 'refuse-waiting':
        return this.#refuseWaiting(event.pool, nowMs);
      case 'drain':
        return this.#deadlines.set(this.#drainTimer, event.untilMs);
      default:
        return this.#ofSession(event, nowMs);
    }
  }

  #ofSession(event: Exclude<LinkEvent, { readonly kind: 'accepted' }>, nowMs: number): void {
    const { link } = event;
    const session = this.#links.sessionOf(link);
    switch (event.kind) {
      case 'received':
        return session?.stage.received(event.bytes, nowMs);
      case 'certificate-shown':
        return session?.stage.certificateShown(event.notAfterMs);
      case 'tls-established':
        return session?.stage.tlsEstablished(event.tls, nowMs);
      case 'tls-failed':
        return session?.stage.tlsFailed(event.detail, nowMs);
      case 'connected':
        return session?.stage.connected(nowMs);
      case 'first-byte':
        return session?.stage.firstByteCame(nowMs);
      case 'half-closed':
        return session?.halfClosed(link, event.heldBytes, nowMs);
      case 'connect-failed':
        session?.connectFailed(event.why, event.detail, nowMs);
        return this.#links.forget(link);
      case 'closed':
        session?.closed(link, event.end, event.sentBytes, nowMs);
        return this.#links.forget(link);
    }
  }

  #due(nowMs: number): void {
    const next = () => this.#deadlines.takeDue(nowMs);
    for (let timed = next(); timed !== undefined; timed = next()) timed.due(nowMs);
  }

  view(client: LinkId, nowMs: number): SessionView | undefined {
    const session = this.#links.sessionOf(client);
    return session && viewOf(session, nowMs);
  }

  list(filter: SessionFilter, from: number, most: number, nowMs: number): SessionPage {
    const sessions: SessionView[] = [];
    const end = Math.min(this.#links.end, from + mostLookedAt);
    let at = from;
    for (; at < end && sessions.length < most; at++) {
      const session = this.#links.sessionOf(at);
      // By the client's link, as long as that is open.
      const isSeen = session !== undefined && (at % 2 === 0 || !session.isClientOpen);
      const view = isSeen ? viewOf(session, nowMs) : undefined;
      if (view !== undefined && matches(filter, view)) sessions.push(view);
    }
    return { sessions, next: at < this.#links.end ? at : undefined };
  }

  #endSessions(serials: readonly number[], how: Close, nowMs: number): void {
    const wanted = new Set(serials);
    for (const session of this.#links.sessions()) {
      if (wanted.delete(session.serial)) session.stage.cut('operator', nowMs, how);
    }
  }

  #refuseWaiting(slot: PoolSlot, nowMs: number): void {
    for (const session of this.#pools.get(slot)?.queue.members() ?? []) session.giveUpWaiting(nowMs);
  }

  #accepted(event: Extract<LinkEvent, { readonly kind: 'accepted' }>, nowMs: number): void {
    const listener = this.#listeners.find(event.listener);
    // It is gone, and its certificates are forgotten.
    if (listener === undefined)
      return this.#context.command({ kind: 'close', link: event.link, how: 'reset' });
    const session = this.#begin(event.link, event.peer, listener.state, nowMs);
    this.#links.accept(event.link, session);
    this.#context.unserved.add(session);
    new Admission(session, listener.gates).begin(nowMs);
  }

  /** It is counted and told as one that was refused: its session ends as it begins. */
  #turnedAway(slot: ListenerSlot, peer: Endpoint, nowMs: number): void {
    const listener = this.#listeners.find(slot);
    if (listener === undefined) return;
    const session = this.#begin(noLink, peer, listener.state, nowMs);
    this.#context.ledger.countAccepted(slot);
    session.end({ reason: 'overloaded', endedBy: 'proxy', detail: outOfDescriptors }, nowMs);
  }

  #begin(link: LinkId, peer: Endpoint, listener: ListenerState, nowMs: number): Session {
    this.activeSessions++;
    this.#listeners.began(listener.plan.slot);
    return new Session(link, peer, listener, this.#context, nowMs);
  }

  #ended(session: Session): void {
    this.activeSessions--;
    this.#lingering.delete(session);
    this.#listeners.ended(session.listener.plan.slot);
  }

  #drained(nowMs: number): void {
    for (const session of this.#links.sessions()) session.stage.cut('drain-timeout', nowMs);
  }

  /** The client that has waited longest makes room: of those that hold bytes, or that were not admitted yet. */
  #exhausted(what: 'memory' | 'descriptors', nowMs: number): void {
    if (what === 'descriptors' && this.#lingering.resetOldest()) return;
    if (nowMs < this.#vainUntilMs[what]) return;
    const { unserved, activity } = this.#context;
    let longest: Session | undefined;
    for (const session of unserved) {
      const hasSome = what === 'memory' ? activity.waitingBytes(session.link) > 0 : session.stage.isAdmission;
      if (!hasSome) continue;
      longest = session;
      break;
    }
    if (longest === undefined) this.#vainUntilMs[what] = nowMs + betweenVainLooksMs;
    longest?.stage.cut('overloaded', nowMs, 'reset', what === 'memory' ? outOfMemory : outOfDescriptors);
  }

  #healthChanged(backend: BackendSlot, health: 'up' | 'down', nowMs: number): void {
    for (const pool of this.#pools.values()) {
      if (!pool.has(backend)) continue;
      pool.healthChanged();
      this.#queues.changed(pool);
    }
    if (health === 'up' || !this.#closesWhenDown) return;
    for (const session of this.#links.sessions()) session.stage.backendWentDown(backend, nowMs);
  }

  #follow(plan: Plan, nowMs: number): void {
    const retired = new Map(this.#pools);
    const held: Pool<QueuedSession>[] = [];
    for (const poolPlan of plan.pools) {
      this.#closesWhenDown ||= poolPlan.policy.whenBackendDown === 'close';
      const pool = this.#pools.get(poolPlan.slot);
      if (pool?.name === poolPlan.name) {
        const wasHeld = pool.isHeld;
        pool.follow(poolPlan);
        if (pool.isHeld && !wasHeld) held.push(pool);
        if (pool.isHeld) for (const session of pool.queue.members()) session.waitAsHeld();
        this.#queues.changed(pool);
        retired.delete(poolPlan.slot);
      } else this.#pools.set(poolPlan.slot, this.#newPool(poolPlan));
    }
    if (held.length > 0) this.#giveUpDials(held);
    this.#listeners.follow(plan);
    for (const [slot, pool] of retired) {
      pool.retire();
      if (this.#pools.get(slot) === pool) this.#pools.delete(slot);
    }
    // Only now, so that none of them goes to another that is gone too.
    for (const pool of retired.values()) for (const session of pool.queue.members()) session.reroute(nowMs);
    if (retired.size > 0) for (const session of this.#links.sessions()) session.stage.poolRetired(nowMs);
  }

  #giveUpDials(held: readonly Pool<QueuedSession>[]): void {
    for (const session of this.#links.sessions()) for (const pool of held) session.stage.poolHeld(pool);
  }

  #newPool(plan: PoolPlan): Pool<QueuedSession> {
    const { ledger, random, command } = this.#context;
    return new Pool(plan, ledger, random, (incident) => command({ kind: 'tell', incident }));
  }
}

class WorkerTimer implements Timed {
  dueMs = Number.POSITIVE_INFINITY;
  heapMs = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly due: (nowMs: number) => void;

  constructor(due: (nowMs: number) => void) {
    this.due = due;
  }
}
