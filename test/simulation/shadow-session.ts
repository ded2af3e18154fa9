import type { BackendSlot, Client, SessionId } from '../../src/core/contract.ts';
import type { BackendPlan, ListenerPlan, Plan, PoolPlan } from '../../src/core/plan.ts';
import type { EndedBy, Reason } from '../../src/core/reasons.ts';
import type { ShadowAdmission } from './shadow-breaker.ts';
import type { ShadowEntry } from './shadow-entrance.ts';
import type { VirtualDriver } from './virtual-driver.ts';

/** A pool as one worker knows it. One that went and came back is another. */
export interface PoolView {
  plan: PoolPlan;
}

export interface ShadowLease {
  readonly pool: number;
  readonly backend: BackendPlan;
  readonly sinceMs: number;
  admission: ShadowAdmission | undefined;
}

/**
 * `fresh`: not judged yet. `queued` and `pausing` (backing off) are told apart as far as commands tell it;
 * `unsure` is one of the two. `doomed`: to be closed before the event is dealt with.
 */
export type ShadowStage =
  | 'fresh'
  | 'queued'
  | 'pausing'
  | 'unsure'
  | 'doomed'
  | 'dialing'
  | 'dialed'
  | 'relaying'
  | 'closing';

export interface ShadowSession {
  readonly id: SessionId;
  readonly client: Client;
  readonly listener: ListenerPlan;
  readonly acceptedMs: number;
  stage: ShadowStage;
  entry: ShadowEntry | undefined;
  pool: PoolView | undefined;
  /** Its pool was retired: if it was in the queue, this is its pool now. */
  mayHaveMovedTo: PoolView | undefined;
  /** Likewise, but there was no pool for it. */
  mayLackPool: boolean;
  lease: ShadowLease | undefined;
  attempts: number;
  /** Bounds of what has been tried in this round: all that surely was, and all that may have been. */
  surelyTried: Set<BackendSlot>;
  maybeTried: Set<BackendSlot>;
  lastFailure: Reason | undefined;
  backendName: string | undefined;
  connectMs: number | undefined;
  /** Since when one side has finished. */
  finnedMs: number | undefined;
  /** When a client that finished without a byte while it was dialed for counts as gone. */
  leftMs: number;
  /** The shortest back-off when its last dial failed; 0 is none at all. */
  initialBackoffMs: number;
  /** Its turn among those of its pool and worker that wait for their first dial. */
  turn: number;
  stageSinceMs: number;
  /** When at the latest something must become of it; of a relaying session it is worked out. */
  actByMs: number;
  /** Of a closing session: what its record may say. */
  reasons: readonly Reason[];
  endedBy: EndedBy;
}

export interface Arrival {
  readonly id: SessionId;
  readonly client: Client;
  readonly listener: ListenerPlan;
  readonly pool: PoolView | undefined;
  readonly entry: ShadowEntry | Reason;
  readonly nowMs: number;
}

export function arrival({ entry, nowMs, ...given }: Arrival): ShadowSession {
  const refused = typeof entry === 'string';
  return {
    ...given,
    acceptedMs: nowMs,
    stage: refused ? 'doomed' : 'fresh',
    entry: refused ? undefined : entry,
    mayHaveMovedTo: undefined,
    mayLackPool: false,
    lease: undefined,
    attempts: 0,
    surelyTried: new Set(),
    maybeTried: new Set(),
    lastFailure: undefined,
    backendName: undefined,
    connectMs: undefined,
    finnedMs: undefined,
    leftMs: Number.POSITIVE_INFINITY,
    initialBackoffMs: Number.POSITIVE_INFINITY,
    turn: Number.POSITIVE_INFINITY,
    stageSinceMs: nowMs,
    actByMs: Number.POSITIVE_INFINITY,
    reasons: refused ? [entry] : [],
    endedBy: 'proxy',
  };
}

export function isWaiting({ stage }: ShadowSession): boolean {
  return stage === 'queued' || stage === 'pausing' || stage === 'unsure';
}

/** Whether it stands in this pool's queue for its first dial, which is what the order is kept of. */
export function isFirstTimer({ stage, attempts, pool }: ShadowSession, of: PoolView): boolean {
  return stage === 'queued' && attempts === 0 && pool === of;
}

/** Whether it may stand in this pool's queue at all. */
export function mayBeQueued(session: ShadowSession, pool: PoolView): boolean {
  const { stage } = session;
  if (stage !== 'queued' && stage !== 'unsure') return false;
  return session.pool === pool || session.mayHaveMovedTo === pool;
}

/** Sessions of the other workers that may stand in this pool's queue, or come to it before they are heard of. */
export function mayWaitElsewhere(worker: WorkerView, pool: PoolView): readonly ShadowSession[] {
  return worker.others().flatMap((other) => {
    const theirs = other.pools.get(pool.plan.slot);
    if (theirs?.plan.name !== pool.plan.name) return [];
    return [...other.sessions.values()].filter(
      (session) => isWaiting(session) && (session.pool === theirs || session.mayHaveMovedTo === theirs),
    );
  });
}

/** A worker's sessions, those that wait for their first dial in order. */
export function inTurn(worker: WorkerView): readonly ShadowSession[] {
  return [...worker.sessions.values()].toSorted((one, other) => one.turn - other.turn || 0);
}

/** What one worker has been told so far, and its sessions. */
export class WorkerView {
  readonly index: number;
  readonly driver: VirtualDriver;
  readonly listeners = new Map<number, ListenerPlan>();
  readonly pools = new Map<number, PoolView>();
  readonly sessions = new Map<SessionId, ShadowSession>();
  /** Since when the first in a pool's queue could have gone. */
  readonly roomSinceMs = new Map<PoolView, number>();
  drainMs = Number.POSITIVE_INFINITY;
  /** Whether a change of health is on its way to it. */
  readonly healthIsStale: () => boolean;
  readonly others: () => readonly WorkerView[];

  constructor(
    index: number,
    driver: VirtualDriver,
    { healthIsStale, others }: Pick<WorkerView, 'healthIsStale' | 'others'>,
  ) {
    this.index = index;
    this.driver = driver;
    this.healthIsStale = healthIsStale;
    this.others = others;
  }

  /** Gives the pools that are gone. */
  follow(plan: Plan): ReadonlySet<PoolView> {
    const gone = new Set(this.pools.values());
    for (const pool of plan.pools) {
      const view = this.pools.get(pool.slot);
      if (view?.plan.name === pool.name) {
        view.plan = pool;
        gone.delete(view);
      } else this.pools.set(pool.slot, { plan: pool });
    }
    for (const listener of plan.listeners) this.listeners.set(listener.slot, listener);
    for (const view of gone) {
      if (this.pools.get(view.plan.slot) === view) this.pools.delete(view.plan.slot);
      view.plan = { ...view.plan, backends: [] };
    }
    return gone;
  }
}
