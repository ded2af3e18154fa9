import type { BackendSlot, PoolSlot } from '../../src/core/contract.ts';
import type { BackendPlan, ListenerPlan, Plan, PoolPlan } from '../../src/core/plan.ts';
import type { EndedBy, Reason } from '../../src/core/reasons.ts';
import type { ShadowArrival } from './shadow-arrival.ts';
import type { ShadowAdmission } from './shadow-breaker.ts';
import type { VirtualDriver } from './virtual-driver.ts';

/** A pool as one worker knows it. One that went and came back is another. */
export interface PoolView {
  plan: PoolPlan;
}

export type PoolNames = ReadonlyMap<PoolSlot, string>;

export interface ShadowLease {
  readonly pool: number;
  readonly backend: BackendPlan;
  readonly sinceMs: number;
  admission: ShadowAdmission | undefined;
}

/**
 * `arriving`: not routed yet. `fresh`: routed, and not judged yet. `queued` and `pausing` (backing off) are told apart
 * as far as commands tell it; `unsure` is one of the two. `aborting`: a dial was given up, and its link is there still.
 * `doomed`: to be closed before the event is dealt with.
 */
export type ShadowStage =
  | 'arriving'
  | 'fresh'
  | 'queued'
  | 'pausing'
  | 'unsure'
  | 'doomed'
  | 'dialing'
  | 'dialed'
  | 'aborting'
  | 'relaying'
  | 'closing';

export interface ShadowSession {
  readonly id: number;
  readonly listener: ListenerPlan;
  readonly acceptedMs: number;
  readonly arrival: ShadowArrival;
  /** The pools that its listener's plan knows. */
  readonly poolNames: PoolNames;
  stage: ShadowStage;
  pool: PoolView | undefined;
  /** If `pool` is not its pool (any more), these may be: it has moved, or nobody knows whose turn it was. */
  mayBeIn: readonly PoolView[];
  /** Likewise, but there may be no pool for it. */
  mayLackPool: boolean;
  lease: ShadowLease | undefined;
  attempts: number;
  /** Those of them that were given up for a hold, and do not count. */
  heldAttempts: number;
  /** Bounds of what has been tried in this round: all that surely was, and all that may have been. */
  surelyTried: Set<BackendSlot>;
  maybeTried: Set<BackendSlot>;
  lastFailure: Reason | undefined;
  backendName: string | undefined;
  /** The backends whose fault it was that they could not be dialed, in order. */
  failedDials: string[];
  connectMs: number | undefined;
  /** Since when one side has finished. */
  finnedMs: number | undefined;
  /** When a client that finished without a byte while it was dialed for counts as gone. */
  leftMs: number;
  uniqueId: string | undefined;
  /** Its backend is there and wants TLS. */
  mustOriginate: boolean;
  /** The header, if any, has gone out ahead of TLS. */
  hasOriginated: boolean;
  /** `held`: its pool is, and it waits once the link has ended. */
  abortedBy: 'connect-timeout' | 'connect-failed' | 'held';
  /** Its dial is to be given up in this event. */
  mustAbort: boolean;
  /** How a refused client is closed whatever its listener says. */
  closeWith: 'fin' | undefined;
  /** Closing: not to be reset before. */
  notBeforeMs: number;
  /** Its place among the refused clients that were sent FIN. */
  lingersSince: number;
  /** The shortest back-off when its last dial failed; 0 is none at all. */
  initialBackoffMs: number;
  /** Its turn among those of its pool and worker that wait for their first dial. */
  turn: number;
  /** Since when it stands in the queue in which it stands. */
  queuedMs: number;
  stageSinceMs: number;
  /** When at the latest something must become of it; of a relaying session it is worked out. */
  actByMs: number;
  /** Of a closing session: what its record may say. */
  reasons: readonly Reason[];
  endedBy: EndedBy;
}

export function newcomer(
  given: Pick<ShadowSession, 'id' | 'listener' | 'acceptedMs' | 'arrival' | 'poolNames'>,
): ShadowSession {
  return {
    ...given,
    stage: 'arriving',
    pool: undefined,
    mayBeIn: [],
    mayLackPool: false,
    lease: undefined,
    attempts: 0,
    heldAttempts: 0,
    surelyTried: new Set(),
    maybeTried: new Set(),
    lastFailure: undefined,
    backendName: undefined,
    failedDials: [],
    connectMs: undefined,
    finnedMs: undefined,
    leftMs: Number.POSITIVE_INFINITY,
    uniqueId: undefined,
    mustOriginate: false,
    hasOriginated: false,
    abortedBy: 'connect-timeout',
    mustAbort: false,
    closeWith: undefined,
    notBeforeMs: Number.POSITIVE_INFINITY,
    lingersSince: Number.POSITIVE_INFINITY,
    initialBackoffMs: Number.POSITIVE_INFINITY,
    turn: Number.POSITIVE_INFINITY,
    queuedMs: Number.POSITIVE_INFINITY,
    stageSinceMs: given.acceptedMs,
    actByMs: Number.POSITIVE_INFINITY,
    reasons: [],
    endedBy: 'proxy',
  };
}

export function go(session: ShadowSession, stage: ShadowStage, nowMs: number): void {
  session.stage = stage;
  session.stageSinceMs = nowMs;
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
  return session.pool === pool || session.mayBeIn.includes(pool);
}

/** Sessions of the other workers that may stand in this pool's queue, or come to it before they are heard of. */
export function mayWaitElsewhere(worker: WorkerView, pool: PoolView): readonly ShadowSession[] {
  return worker.others().flatMap((other) => {
    const theirs = other.pools.get(pool.plan.slot);
    if (theirs?.plan.name !== pool.plan.name) return [];
    return [...other.sessions.values()].filter(
      (session) => isWaiting(session) && (session.pool === theirs || session.mayBeIn.includes(theirs)),
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
  /** Those that are gone, too, for their sessions' sake. */
  readonly listeners = new Map<number, ListenerPlan>();
  /** The listeners of its plan. */
  planned: readonly number[] = [];
  /** By listener: the pools that its plan knows. */
  readonly poolNames = new Map<number, PoolNames>();
  readonly pools = new Map<number, PoolView>();
  readonly sessions = new Map<number, ShadowSession>();
  /** Since when the first in a pool's queue could have gone. */
  readonly roomSinceMs = new Map<PoolView, number>();
  drainMs = Number.POSITIVE_INFINITY;
  /** Whether a change of health is on its way to it. */
  readonly healthIsStale: () => boolean;
  readonly others: () => readonly WorkerView[];
  /** Whether a worker, this or another, has still to be told of something. */
  readonly isNewsDue: () => boolean;
  /** What its core calls a session. */
  readonly serialOf: (session: number) => number | undefined;

  constructor(
    index: number,
    driver: VirtualDriver,
    {
      healthIsStale,
      others,
      isNewsDue,
      serialOf,
    }: Pick<WorkerView, 'healthIsStale' | 'others' | 'isNewsDue' | 'serialOf'>,
  ) {
    this.index = index;
    this.driver = driver;
    this.healthIsStale = healthIsStale;
    this.others = others;
    this.isNewsDue = isNewsDue;
    this.serialOf = serialOf;
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
    const poolNames = new Map(plan.pools.map(({ slot, name }) => [slot, name]));
    this.planned = plan.listeners.map(({ slot }) => slot);
    for (const listener of plan.listeners) {
      this.listeners.set(listener.slot, listener);
      this.poolNames.set(listener.slot, poolNames);
    }
    for (const view of gone) {
      if (this.pools.get(view.plan.slot) === view) this.pools.delete(view.plan.slot);
      view.plan = { ...view.plan, backends: [], hold: undefined };
    }
    return gone;
  }
}
