/** Who stands in line for a pool, and that nobody is served before those who stood there first. */
import { queuePolicyOf } from '../../src/core/hold.ts';
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Choice } from './choice.ts';
import type { Destinations } from './destinations.ts';
import {
  go,
  inTurn,
  isFirstTimer,
  isWaiting,
  mayBeQueued,
  mayWaitElsewhere,
  type PoolView,
  type ShadowSession,
  type WorkerView,
} from './shadow-session.ts';
import { must } from './violation.ts';

const never = Number.POSITIVE_INFINITY;

export class Queueing {
  readonly #ledger: Ledger;
  readonly #choice: Choice;
  #turns = 0;

  constructor(ledger: Ledger, choice: Choice) {
    this.#ledger = ledger;
    this.#choice = choice;
  }

  /** Nothing was commanded about new sessions: they wait, in an order that nobody knows, and must have had to. */
  join(worker: WorkerView, sessions: readonly ShadowSession[], nowMs: number): void {
    const turn = this.#turns++;
    for (const session of sessions) {
      if (session.mayBeIn.length > 0) becomeUnsure(session, nowMs);
      else this.#joins(worker, session, turn, nowMs);
    }
  }

  mustBeItsTurn(worker: WorkerView, session: ShadowSession, pool: PoolView, nowMs: number): void {
    if (session.attempts > 0 || session.stage === 'unsure') return;
    const earlier = inTurn(worker).find((other) => isFirstTimer(other, pool) && other.turn < session.turn);
    must(earlier === undefined, () => `session ${session.id} is served before session ${earlier?.id}`);
    // Those who have stood before it on other workers find a place too.
    const elsewhere = mayWaitElsewhere(worker, pool).filter(
      ({ stage, attempts, turn }) => stage === 'queued' && attempts === 0 && turn < session.turn,
    );
    const room = this.#choice.room(worker, pool, nowMs);
    must(
      elsewhere.length === 0 || elsewhere.length < room,
      () => `session ${session.id} takes one of ${room} places before session ${elsewhere[0]?.id}`,
    );
  }

  /**
   * Those who waited for a pool that is gone stand in another line, behind those who stand there already. Gives
   * those of whom that is certain.
   */
  move(
    worker: WorkerView,
    gone: ReadonlySet<PoolView>,
    destinations: Destinations,
    nowMs: number,
  ): readonly ShadowSession[] {
    const moved: ShadowSession[] = [];
    for (const retired of gone) {
      // Those whose order nobody knew come in an order that nobody knows.
      const turns = new Map<number, number>();
      for (const session of inTurn(worker)) {
        const { stage, pool, mayBeIn, attempts } = session;
        if (pool !== retired && !mayBeIn.includes(retired)) continue;
        if (!isWaiting(session)) continue;
        const isQueued = stage === 'queued' && attempts === 0;
        destinations.move(worker, session, retired, isQueued);
        if (!isQueued || session.mayBeIn.length > 0) {
          session.surelyTried = new Set();
          becomeUnsure(session, nowMs);
          continue;
        }
        const turn = turns.get(session.turn) ?? this.#turns++;
        turns.set(session.turn, turn);
        session.turn = turn;
        session.queuedMs = nowMs;
        session.actByMs = nowMs + (session.pool ? queuePolicyOf(session.pool.plan).timeoutMs : 0);
        moved.push(session);
      }
    }
    return moved;
  }

  /** Dials for pools that are held from this plan on are given up. */
  begin(worker: WorkerView, plan: Plan): void {
    for (const { slot, name, hold } of plan.pools) {
      const pool = worker.pools.get(slot);
      const isNew = pool?.plan.name === name && pool.plan.hold?.phase !== 'held' && hold?.phase === 'held';
      for (const session of isNew ? worker.sessions.values() : [])
        session.mustAbort ||= session.stage === 'dialing' && session.pool === pool;
    }
  }

  /** Those who wait in pools that are held wait as long as the hold says. */
  hold(worker: WorkerView): void {
    for (const session of worker.sessions.values()) {
      const { stage, pool } = session;
      if (stage !== 'queued' || pool?.plan.hold?.phase !== 'held') continue;
      session.surelyTried = new Set();
      session.actByMs = session.queuedMs + pool.plan.hold.timeoutMs;
    }
  }

  #joins(worker: WorkerView, session: ShadowSession, turn: number, nowMs: number): void {
    const { pool, id } = session;
    must(pool !== undefined, () => `session ${id} waits for no pool`);
    const othersWait =
      inTurn(worker).some((other) => other !== session && mayBeQueued(other, pool)) ||
      mayWaitElsewhere(worker, pool).length > 0;
    if (!othersWait) {
      const [open] = this.#choice.open(worker, pool, session, nowMs);
      must(open === undefined, () => `session ${id} waits, but backend ${open?.slot} is open`);
    }
    const { size, timeoutMs } = queuePolicyOf(pool.plan);
    const length = this.#ledger.poolQueued.total(pool.plan.slot);
    must(length <= size, () => `session ${id} waits as one of ${length}, in a queue of ${size}`);
    go(session, 'queued', nowMs);
    session.turn = turn;
    session.queuedMs = nowMs;
    session.actByMs = nowMs + timeoutMs;
  }
}

/** It waits, and from outside nobody can tell for what. */
export function becomeUnsure(session: ShadowSession, nowMs: number): void {
  go(session, 'unsure', nowMs);
  session.actByMs = never;
}
