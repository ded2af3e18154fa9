/**
 * The brain of one worker: takes events in, gives commands out. It finds the session that an event is about
 * and lets it decide; what concerns several sessions (a new plan, health, draining, running out of something) is
 * decided here, and who leaves a queue in `queues.ts`.
 */
import { Admission } from './admission/admission.ts';
import type {
  Activity,
  BackendSlot,
  CloseHow,
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
import type { Plan } from './plan.ts';
import { Pools } from './pools.ts';
import { Queues } from './queues.ts';
import { Session, type SessionContext, type Timed } from './session.ts';
import type { SessionFilter, SessionPage, SessionView } from './session-list.ts';
import { pageOf, viewOf } from './session-view.ts';
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

class SessionCore implements Core {
  readonly #context: SessionContext;
  readonly #commands: Command[] = [];
  /** What is commanded about one event: the same list each time, so that an event costs none. */
  readonly #result = { count: 0, commands: this.#commands as readonly Command[] };
  readonly #queueTimer = new WorkerTimer(() => this.#context.queues.wake());
  readonly #drainTimer = new WorkerTimer((nowMs) => this.#drained(nowMs));
  /** Whether a pool closes the sessions of a backend that goes down, or did. */
  #closesWhenDown = false;

  constructor({ ledger, worker, activity, random, readFirstBytes }: CoreDeps, links: Links<Session>) {
    const command = (command: Command): void => {
      this.#commands[this.#result.count++] = command;
    };
    const pools = new Pools({ ledger, random, command });
    this.#context = {
      ledger,
      activity,
      random,
      readFirstBytes,
      command,
      deadlines: new Deadlines(),
      links,
      unserved: new Set(),
      listeners: new Listeners(ledger),
      pools,
      queues: new Queues({ worker, pools, command }),
      lingering: new Lingering(),
    };
  }

  get activeSessions(): number {
    return this.#context.listeners.openSessions;
  }

  get nextDeadlineMs(): number | undefined {
    return this.#context.deadlines.nextMs;
  }

  handle(event: CoreEvent, nowMs: number): ReturnType<Core['handle']> {
    const { deadlines, links, queues } = this.#context;
    this.#result.count = 0;
    links.freeEnded();
    this.#take(event, nowMs);
    if (queues.mayMove) {
      queues.serve(nowMs);
      deadlines.set(this.#queueTimer, queues.nextLookMs(nowMs));
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
        return this.#context.queues.wake();
      case 'turned-away':
        return this.#turnedAway(event.listener, event.peer, nowMs);
      case 'exhausted':
        return this.#exhausted(event.what, nowMs);
      case 'health-changed':
        return this.#healthChanged(event.backend, event.health, nowMs);
      case 'plan':
        return this.#followPlan(event.plan, nowMs);
      case 'end-sessions':
        return this.#endSessions(event.serials, event.how, nowMs);
      case 'refuse-waiting':
        return this.#refuseWaiting(event.pool, nowMs);
      case 'drain':
        return this.#context.deadlines.set(this.#drainTimer, event.untilMs);
      case 'stop':
        return this.#stop(nowMs);
      default:
        return this.#ofSession(event, nowMs);
    }
  }

  #ofSession(event: Exclude<LinkEvent, { readonly kind: 'accepted' }>, nowMs: number): void {
    const { link } = event;
    const { links } = this.#context;
    const session = links.sessionOf(link);
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
        return links.forget(link);
      case 'closed':
        session?.closed(link, event.end, event.sentBytes, nowMs);
        return links.forget(link);
    }
  }

  #due(nowMs: number): void {
    const next = () => this.#context.deadlines.takeDue(nowMs);
    for (let timed = next(); timed !== undefined; timed = next()) timed.due(nowMs);
  }

  view(client: LinkId, nowMs: number): SessionView | undefined {
    const session = this.#context.links.sessionOf(client);
    return session && viewOf(session, nowMs);
  }

  list(filter: SessionFilter, from: number, most: number, nowMs: number): SessionPage {
    return pageOf(this.#context.links, filter, from, most, nowMs);
  }

  #endSessions(serials: readonly number[], how: CloseHow, nowMs: number): void {
    const wanted = new Set(serials);
    for (const session of this.#context.links.sessions()) {
      if (wanted.delete(session.serial)) session.stage.cut('operator', nowMs, how);
    }
  }

  #refuseWaiting(slot: PoolSlot, nowMs: number): void {
    for (const session of this.#context.pools.find(slot)?.queue.members() ?? []) session.giveUpWaiting(nowMs);
  }

  #accepted(event: Extract<LinkEvent, { readonly kind: 'accepted' }>, nowMs: number): void {
    const listener = this.#context.listeners.find(event.listener);
    // It is gone, and its certificates are forgotten.
    if (listener === undefined)
      return this.#context.command({ kind: 'close', link: event.link, how: 'reset' });
    const session = new Session(event.link, event.peer, listener.state, this.#context, nowMs);
    this.#context.links.accept(event.link, session);
    this.#context.unserved.add(session);
    new Admission(session, listener.gates).begin(nowMs);
  }

  /** It is counted and told as one that was refused: its session ends as it begins. */
  #turnedAway(slot: ListenerSlot, peer: Endpoint, nowMs: number): void {
    const listener = this.#context.listeners.find(slot);
    if (listener === undefined) return;
    const session = new Session(noLink, peer, listener.state, this.#context, nowMs);
    this.#context.ledger.countAccepted(slot);
    session.end({ reason: 'overloaded', endedBy: 'proxy', detail: outOfDescriptors }, nowMs);
  }

  #drained(nowMs: number): void {
    for (const session of this.#context.links.sessions()) session.stage.cut('drain-timeout', nowMs);
  }

  #stop(nowMs: number): void {
    this.#drained(nowMs);
    for (const session of this.#context.links.sessions()) session.stage.stopLingering();
  }

  /** The client that has waited longest makes room: of those that hold bytes, or that were not admitted yet. */
  #exhausted(what: 'memory' | 'descriptors', nowMs: number): void {
    const { lingering, unserved, activity } = this.#context;
    if (what === 'descriptors' && lingering.resetOldest()) return;
    for (const { stage, link } of unserved) {
      const canMakeRoom = what === 'memory' ? activity.waitingBytes(link) > 0 : stage.isAdmission;
      if (!canMakeRoom) continue;
      return stage.cut('overloaded', nowMs, 'reset', what === 'memory' ? outOfMemory : outOfDescriptors);
    }
  }

  #healthChanged(backend: BackendSlot, health: 'up' | 'down', nowMs: number): void {
    for (const pool of this.#context.pools.all()) {
      if (!pool.has(backend)) continue;
      pool.healthChanged();
      this.#context.queues.changed(pool);
    }
    if (health === 'up' || !this.#closesWhenDown) return;
    for (const session of this.#context.links.sessions()) session.stage.backendWentDown(backend, nowMs);
  }

  #followPlan(plan: Plan, nowMs: number): void {
    const { listeners, pools, queues, links } = this.#context;
    this.#closesWhenDown ||= plan.pools.some(({ policy }) => policy.whenBackendDown === 'close');
    listeners.follow(plan);
    const { kept, newlyHeld, retired } = pools.follow(plan.pools);
    for (const pool of kept) {
      if (pool.isHeld) for (const session of pool.queue.members()) session.waitAsHeld();
      queues.changed(pool);
    }
    for (const pool of newlyHeld) for (const session of links.sessions()) session.stage.poolHeld(pool);
    for (const pool of retired) for (const session of pool.queue.members()) session.reroute(nowMs);
    if (retired.length > 0) for (const session of links.sessions()) session.stage.poolRetired(nowMs);
  }
}

class WorkerTimer implements Timed {
  heapIndex = -1;
  readonly due: (nowMs: number) => void;

  constructor(due: (nowMs: number) => void) {
    this.due = due;
  }
}
