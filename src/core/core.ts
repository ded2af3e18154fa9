/**
 * The brain of one worker: takes events in, gives commands out. It finds the session that an event is about
 * and lets it decide; what concerns several sessions (a new plan, health, queues, draining) is decided here.
 */
import type { Entrance } from './arrival.ts';
import { assert } from './assert.ts';
import type { Activity, Command, Core, CoreEvent, ListenerSlot, PoolSlot, SessionId } from './contract.ts';
import { Deadlines } from './deadlines.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Plan } from './plan.ts';
import { Pool } from './pool.ts';
import { Router } from './router.ts';
import { Session, type Surroundings } from './session.ts';

export interface CoreParts {
  readonly ledger: Ledger;
  readonly activity: Activity;
  /** Gives numbers from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

/** A core without listeners: its first event is a plan. */
export function createCore(parts: CoreParts): Core {
  return new SessionCore(parts);
}

/**
 * How often a waiting queue looks for room that others made: leases released by another worker, a breaker
 * whose time is over. Releases of its own worker wake it at once.
 */
const queuePollMs = 5;

const noCommands: readonly Command[] = [];

class SessionCore implements Core {
  readonly #around: Surroundings;
  readonly #deadlines = new Deadlines<Session>();
  readonly #sessions = new Map<SessionId, Session>();
  readonly #entrances = new Map<ListenerSlot, Entrance>();
  /** Listeners that are no longer in the plan, with their open sessions: they are forgotten with the last. */
  readonly #goneListeners = new Map<ListenerSlot, number>();
  readonly #pools = new Map<PoolSlot, Pool<Session>>();
  /** Pools whose queue may move on once the event is dealt with. */
  readonly #freed = new Set<Pool<Session>>();
  /** Pools in whose queue someone waits. */
  readonly #waitedFor = new Set<Pool<Session>>();
  #pollMs = Number.POSITIVE_INFINITY;
  #drainedMs = Number.POSITIVE_INFINITY;
  #commands: Command[] = [];

  constructor({ ledger, activity, random }: CoreParts) {
    this.#around = {
      ledger,
      activity,
      random,
      deadlines: this.#deadlines,
      command: (command) => void this.#commands.push(command),
      pool: (slot = -1, { poolNames }) => {
        const pool = this.#pools.get(slot);
        return pool?.name === poolNames.get(slot) ? pool : undefined;
      },
      entrance: (listener) => this.#entrances.get(listener),
      freed: (pool) => {
        if (!pool.queue.isEmpty) this.#freed.add(pool);
      },
      waitedFor: (pool) => {
        this.#waitedFor.add(pool);
        this.#freed.add(pool);
      },
    };
  }

  get activeSessions(): number {
    return this.#sessions.size;
  }

  get nextDeadlineMs(): number | undefined {
    const nextMs = Math.min(
      this.#deadlines.nextMs ?? Number.POSITIVE_INFINITY,
      this.#pollMs,
      this.#drainedMs,
    );
    return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs;
  }

  handle(event: CoreEvent, nowMs: number): readonly Command[] {
    this.#dispatch(event, nowMs);
    if (this.#freed.size > 0) this.#serveQueues(nowMs);
    if (this.#commands.length === 0) return noCommands;
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }

  #dispatch(event: CoreEvent, nowMs: number): void {
    switch (event.kind) {
      case 'accepted':
        return this.#accepted(event, nowMs);
      case 'received':
        return this.#sessions.get(event.session)?.received(event.bytes, nowMs);
      case 'secured':
        return this.#sessions.get(event.session)?.secured(event, nowMs);
      case 'secure-failed':
        return this.#sessions.get(event.session)?.secureFailed(event, nowMs);
      case 'dialed':
        return this.#sessions.get(event.session)?.dialed(nowMs);
      case 'dial-failed':
        return this.#sessions.get(event.session)?.dialFailed(event.why, nowMs);
      case 'half-closed':
        return this.#sessions.get(event.session)?.halfClosed(event, nowMs);
      case 'ended':
        return this.#ended(event, nowMs);
      case 'deadline':
        return this.#deadline(nowMs);
      case 'health-changed':
        return this.#healthChanged(event, nowMs);
      case 'plan':
        return this.#follow(event.plan, nowMs);
      case 'drain':
        this.#drainedMs = event.untilMs;
    }
  }

  #accepted(event: Extract<CoreEvent, { readonly kind: 'accepted' }>, nowMs: number): void {
    const entrance = this.#entrances.get(event.listener);
    assert(entrance !== undefined, 'a driver accepts only for listeners of the plan');
    const session = new Session(event, entrance, this.#around, nowMs);
    this.#sessions.set(event.session, session);
    session.begin(nowMs);
  }

  #ended(event: Extract<CoreEvent, { readonly kind: 'ended' }>, nowMs: number): void {
    const session = this.#sessions.get(event.session);
    if (session === undefined) return;
    session.ended(event, nowMs);
    this.#sessions.delete(event.session);
    const open = this.#goneListeners.get(session.listener);
    if (open !== undefined) this.#setGone(session.listener, open - 1);
  }

  #setGone(listener: ListenerSlot, open: number): void {
    if (open > 0) this.#goneListeners.set(listener, open);
    else {
      this.#goneListeners.delete(listener);
      this.#entrances.delete(listener);
    }
  }

  #deadline(nowMs: number): void {
    for (;;) {
      const session = this.#deadlines.takeDue(nowMs);
      if (session === undefined) break;
      session.due(nowMs);
    }
    if (nowMs >= this.#pollMs) {
      this.#pollMs = Number.POSITIVE_INFINITY;
      for (const pool of this.#waitedFor) this.#freed.add(pool);
    }
    if (nowMs >= this.#drainedMs) {
      this.#drainedMs = Number.POSITIVE_INFINITY;
      for (const session of this.#sessions.values()) session.cut('drain-timeout', nowMs);
    }
  }

  #healthChanged(event: Extract<CoreEvent, { readonly kind: 'health-changed' }>, nowMs: number): void {
    for (const pool of this.#pools.values()) {
      pool.healthChanged();
      this.#freed.add(pool);
    }
    if (event.health === 'up') return;
    for (const session of this.#sessions.values()) session.backendWentDown(event.backend, nowMs);
  }

  /**
   * A listener is in the plan until its sockets are closed: what waits in their accept queues may still come. What there
   * is of it, its keys too, is forgotten with its last session.
   */
  #follow({ listeners, pools }: Plan, nowMs: number): void {
    const retired = new Map(this.#pools);
    for (const plan of pools) {
      const pool = this.#pools.get(plan.slot);
      if (pool?.name === plan.name) {
        pool.follow(plan);
        this.#freed.add(pool);
        retired.delete(plan.slot);
      } else this.#pools.set(plan.slot, new Pool(plan, this.#around.ledger, this.#around.random));
    }
    const { ledger } = this.#around;
    const poolNames = new Map(pools.map(({ slot, name }) => [slot, name]));
    for (const plan of listeners)
      this.#entrances.set(plan.slot, { plan, router: new Router(plan.routes, ledger), poolNames });
    this.#forgetGone(new Set(listeners.map(({ slot }) => slot)));
    for (const [slot, pool] of retired) {
      pool.retire();
      if (this.#pools.get(slot) === pool) this.#pools.delete(slot);
      for (const session of pool.queue.members()) {
        const entrance = this.#entrances.get(session.listener);
        if (entrance !== undefined) session.reroute(entrance, nowMs);
      }
    }
  }

  #forgetGone(planned: ReadonlySet<ListenerSlot>): void {
    const open = new Map<ListenerSlot, number>();
    for (const slot of this.#entrances.keys()) if (!planned.has(slot)) open.set(slot, 0);
    this.#goneListeners.clear();
    if (open.size === 0) return;
    for (const { listener } of this.#sessions.values()) {
      const count = open.get(listener);
      if (count !== undefined) open.set(listener, count + 1);
    }
    for (const [slot, count] of open) this.#setGone(slot, count);
  }

  /** Those who wait go, in order, until one finds no room or stands behind one of another worker. */
  #serveQueues(nowMs: number): void {
    for (const pool of this.#freed) {
      for (let first = pool.queue.first; first !== undefined; first = pool.queue.first) {
        if (!pool.admitsFirst(nowMs) || !first.tryLeaveQueue(nowMs)) break;
      }
      if (pool.queue.isEmpty) this.#waitedFor.delete(pool);
    }
    this.#freed.clear();
    // Never later than it was: a pool that is busy all the time must not put off the poll of another.
    this.#pollMs =
      this.#waitedFor.size > 0 ? Math.min(this.#pollMs, nowMs + queuePollMs) : Number.POSITIVE_INFINITY;
  }
}
