/** For which reasons a session may be closed, by its stage and by what happens. */
import { queuePolicyOf } from '../../src/core/hold.ts';
import type { ListenerPlan } from '../../src/core/plan.ts';
import type { Reason } from '../../src/core/reasons.ts';
import type { Choice } from './choice.ts';
import {
  inTurn,
  isWaiting,
  mayBeQueued,
  mayWaitElsewhere,
  type ShadowSession,
  type WorkerView,
} from './shadow-session.ts';
import type { Told } from './told.ts';
import { must } from './violation.ts';

const never = Number.POSITIVE_INFINITY;

interface Now {
  readonly nowMs: number;
  /** Whether the session had to change its pool in this event. */
  readonly wasMoved: boolean;
  /** Whether it, and others, may have stood in line since some time in this event, and nobody saw it. */
  readonly cameUnseen: boolean;
}

export class Endings {
  readonly #choice: Choice;

  constructor(choice: Choice) {
    this.#choice = choice;
  }

  /** What the record of a session may say that is closed now; nothing where it must not be. */
  reasonsToClose(worker: WorkerView, event: Told, session: ShadowSession, now: Now): readonly Reason[] {
    if (isEnded(worker, event, session)) return ['operator'];
    const isRelaying = session.stage === 'relaying';
    if (
      event.kind === 'half-closed' &&
      event.session === session.id &&
      (isWaiting(session) || session.stage === 'aborting')
    ) {
      return event.unsentBytes === 0 ? ['client-left'] : [];
    }
    const reasons: Reason[] = [];
    const hasLeft = session.stage === 'dialing' ? now.nowMs >= session.leftMs : session.leftMs < never;
    const isDrained = event.kind === 'deadline' && now.nowMs >= worker.drainMs;
    if (isDrained) reasons.push('drain-timeout');
    if (session.stage === 'arriving') return reasons;
    if (isRelaying) return [...reasons, ...reasonsToCut(worker, event, session, now.nowMs)];
    if (hasLeft) reasons.push('client-left');
    if (session.stage === 'dialing' || session.stage === 'aborting') return reasons;
    if (event.kind === 'refuse-waiting' && isWaiting(session) && mayStandIn(session, event.pool))
      return [...reasons, 'queue-timeout'];
    const isOver = event.kind === 'deadline' && now.nowMs >= session.actByMs;
    if (session.stage === 'queued' && isOver) return [...reasons, 'queue-timeout'];
    if (session.stage === 'unsure') reasons.push('queue-timeout');
    return [...reasons, ...this.#reasonsToRefuse(worker, session, now, isDrained)];
  }

  #reasonsToRefuse(
    worker: WorkerView,
    session: ShadowSession,
    now: Now,
    isDrained: boolean,
  ): readonly Reason[] {
    const { pool, lastFailure } = session;
    const { nowMs, wasMoved, cameUnseen } = now;
    if (lastFailure !== undefined) {
      const isClear =
        pool !== undefined &&
        session.stage !== 'unsure' &&
        !wasMoved &&
        session.leftMs === never &&
        !isDrained &&
        session.attempts - session.heldAttempts <= pool.plan.policy.connect.retries;
      const open = isClear ? this.#choice.open(worker, pool, session, nowMs) : [];
      must(
        open.length === 0,
        () => `session ${session.id} is given up, but backend ${open[0]?.slot} is open`,
      );
      return [lastFailure];
    }
    // Of several pools that it may be in, any may have refused it.
    if (pool === undefined && session.mayBeIn.length > 0) return ['no-backend', 'pool-full', 'queue-full'];
    if (pool === undefined) return ['no-backend'];
    const { size } = queuePolicyOf(pool.plan);
    const reasons: Reason[] = [];
    const others = inTurn(worker).filter((other) => other !== session && mayBeQueued(other, pool));
    const othersWait = cameUnseen || others.length > 0 || mayWaitElsewhere(worker, pool).length > 0;
    if (othersWait || wasMoved) reasons.push('queue-full');
    const someoneWaits = others.some(({ stage }) => stage === 'queued');
    if (someoneWaits && session.stage === 'fresh' && !cameUnseen) return reasons;
    const mayStandInLine = othersWait && (session.stage === 'fresh' || wasMoved);
    const [open] = this.#choice.open(worker, pool, session, nowMs);
    must(
      open === undefined || mayStandInLine || isDrained,
      () => `session ${session.id} is refused, but backend ${open?.slot} is open`,
    );
    const why = this.#choice.whyNot(worker, pool, session, nowMs);
    if (why.has('no-backend')) reasons.push('no-backend');
    const mayLackRoom = why.has('pool-full') && (session.stage === 'fresh' || wasMoved);
    if (mayLackRoom) reasons.push(size === 0 ? 'pool-full' : 'queue-full');
    return reasons;
  }
}

/** By an operator. */
export function isEnded(worker: WorkerView, event: Told, { id }: ShadowSession): boolean {
  return event.kind === 'end-sessions' && event.serials.includes(worker.serialOf(id) ?? Number.NaN);
}

function mayStandIn({ pool, mayBeIn }: ShadowSession, slot: number): boolean {
  return [pool, ...mayBeIn].some((one) => one?.plan.slot === slot);
}

function reasonsToCut(
  worker: WorkerView,
  event: Told,
  session: ShadowSession,
  nowMs: number,
): readonly Reason[] {
  if (event.kind === 'health-changed') {
    const isHit = event.health === 'down' && event.backend === session.lease?.backend.slot;
    return isHit && session.pool?.plan.policy.whenBackendDown === 'close' ? ['backend-down'] : [];
  }
  const { idleMs, halfClosedMs } = silenceEnds(worker, session);
  const { maxLifetimeMs } = session.listener.policy.timeouts;
  const lifetimeMs = session.acceptedMs + maxLifetimeMs;
  if (nowMs < Math.min(idleMs, halfClosedMs, lifetimeMs)) return [];
  // Late deadlines find several ends behind them: the one that came first counts.
  if (lifetimeMs <= Math.min(idleMs, halfClosedMs)) return ['lifetime-exceeded'];
  return [halfClosedMs <= idleMs ? 'half-closed-timeout' : 'idle-timeout'];
}

/** When a relaying session has been silent for too long, either way of counting. */
export function silenceEnds(
  { driver }: WorkerView,
  session: ShadowSession,
): { idleMs: number; halfClosedMs: number } {
  const { idleMs, halfClosedMs } = session.listener.policy.timeouts;
  const lastByteMs = driver.connections.get(session.id)?.lastByteMs ?? 0;
  const quietMs = Math.max(lastByteMs, session.stageSinceMs);
  const finnedMs = session.finnedMs === undefined ? never : Math.max(quietMs, session.finnedMs);
  return { idleMs: quietMs + idleMs, halfClosedMs: finnedMs + halfClosedMs };
}

/** How a session is closed for this reason. */
export function closedWith(reason: Reason, listener: ListenerPlan): 'reset' | 'fin' {
  switch (reason) {
    case 'client-left':
    case 'idle-timeout':
    case 'half-closed-timeout':
      return 'fin';
    case 'lifetime-exceeded':
    case 'drain-timeout':
    case 'backend-down':
      return 'reset';
    default:
      return listener.policy.refuseWith === 'reset' ? 'reset' : 'fin';
  }
}
