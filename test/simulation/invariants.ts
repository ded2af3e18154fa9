/** What must hold after every step, whatever the step was. */
import type { Core } from '../../src/core/contract.ts';
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import { reasons } from '../../src/core/reasons.ts';
import { slots } from './operator.ts';
import type { Shadow } from './shadow.ts';
import {
  isFirstTimer,
  isWaiting,
  mayWaitElsewhere,
  type ShadowSession,
  type WorkerView,
} from './shadow-session.ts';
import { must } from './violation.ts';

/** That the ledger counts what is really held. */
export function checkCounts(ledger: Ledger, shadow: Shadow, workers: readonly WorkerView[]): void {
  for (let slot = 0; slot < slots.listeners; slot++) {
    equal(
      `active on listener ${slot}`,
      ledger.listenerActive.total(slot),
      shadow.entrance.listeners.of(slot),
    );
  }
  let clients = 0;
  for (let place = 0; place < ledger.capacity.clients; place++) clients += ledger.clients.active.total(place);
  equal('clients counted', clients, shadow.entrance.clients.sum);
  for (let slot = 0; slot < slots.backends; slot++) {
    equal(`active on backend ${slot}`, ledger.backendActive.total(slot), shadow.backends.of(slot));
    shadow.breakers[slot]?.check();
  }
  for (let slot = 0; slot < slots.pools; slot++) {
    equal(`active in pool ${slot}`, ledger.poolActive.total(slot), shadow.pools.of(slot));
    checkQueue(ledger, slot, workers);
  }
}

function checkQueue(ledger: Ledger, slot: number, workers: readonly WorkerView[]): void {
  let least = 0;
  let most = 0;
  for (const { sessions } of workers) {
    for (const { stage, pool, mayBeIn } of sessions.values()) {
      if (stage === 'queued' && pool?.plan.slot === slot) least++;
      else if (stage !== 'unsure') continue;
      else if (pool?.plan.slot === slot || mayBeIn.some(({ plan }) => plan.slot === slot)) most++;
    }
  }
  const found = ledger.poolQueued.total(slot);
  const isRight = found >= least && found <= least + most;
  must(isRight, () => `${found} queue for pool ${slot}, expected from ${least} to ${least + most}`);
}

/** That a split gave as many turns as it was asked for, over all workers. */
export function checkSplits(ledger: Ledger, shadow: Shadow): void {
  for (let slot = 0; slot < slots.splits; slot++) {
    equal(`turns taken of split ${slot}`, ledger.splitTurns[slot] ?? 0, shadow.destinations.turns.of(slot));
  }
}

/** That accepted = active + closed, by every reason, for every listener. */
export function checkAccounts(ledger: Ledger, shadow: Shadow, workers: readonly WorkerView[]): void {
  for (let slot = 0; slot < slots.listeners; slot++) {
    const totals = ledger.listenerTotals(slot);
    equal(`accepted on listener ${slot}`, totals.accepted, shadow.accepted.of(slot));
    let closed = 0;
    for (const reason of reasons) {
      const count = totals.closed(reason);
      equal(`closed on listener ${slot} as ${reason}`, count, shadow.closed.of(`${slot} ${reason}`));
      closed += count;
    }
    let active = 0;
    for (const { sessions } of workers) {
      for (const { listener } of sessions.values()) if (listener.slot === slot) active++;
    }
    equal(`accepted on listener ${slot}, against active and closed`, totals.accepted, active + closed);
  }
}

/** That a core wants to be called by the time that something must happen. */
export function checkDeadlines(core: Core, shadow: Shadow, worker: WorkerView): void {
  equal('active sessions', core.activeSessions, worker.sessions.size);
  const nextMs = core.nextDeadlineMs ?? Number.POSITIVE_INFINITY;
  must(nextMs <= worker.drainMs, () => `next deadline ${nextMs} is after the drain's ${worker.drainMs}`);
  for (const session of worker.sessions.values()) {
    const { id, stage } = session;
    const dueMs = shadow.actByMs(worker, session);
    must(nextMs <= dueMs, () => `next deadline ${nextMs}, but session ${id} (${stage}) is due at ${dueMs}`);
    const isForgotten = isWaiting(session) && nextMs === Number.POSITIVE_INFINITY;
    must(!isForgotten, () => `session ${id} is ${stage} and there is no deadline`);
  }
}

/** After all deadlines up to now were given to the core: that nothing is overdue. */
export function checkPunctual(shadow: Shadow, worker: WorkerView, nowMs: number): void {
  for (const session of worker.sessions.values()) {
    const { id, stage } = session;
    must(shadow.actByMs(worker, session) > nowMs, () => `session ${id} is overdue while ${stage}`);
  }
  for (const [pool, sinceMs] of worker.roomSinceMs) {
    // Whoever makes room hands it on in the same event.
    const isServed = nowMs <= sinceMs;
    must(
      isServed,
      () =>
        `worker ${worker.index}: pool ${pool.plan.slot} has room since ${sinceMs} ms and a queue that stands`,
    );
  }
}

/** Notes since when the queues of a worker could move on. */
export function watchRoom(shadow: Shadow, worker: WorkerView, nowMs: number): void {
  const sessions = [...worker.sessions.values()];
  const pools = new Set(sessions.map(({ pool }) => pool));
  for (const pool of worker.roomSinceMs.keys()) if (!pools.has(pool)) worker.roomSinceMs.delete(pool);
  for (const pool of pools) {
    if (pool === undefined) continue;
    const first = sessions.find((session) => isFirstTimer(session, pool));
    // Of those who wait for a further dial, nobody knows from outside when they came.
    const isLater = ({ stage, attempts, turn }: ShadowSession): boolean =>
      stage === 'queued' && attempts === 0 && turn > (first?.turn ?? 0);
    const isNext = first !== undefined && mayWaitElsewhere(worker, pool).every(isLater);
    // As each worker knows it: news must first have come to all.
    const couldGo =
      isNext && !worker.isNewsDue() && shadow.choice.open(worker, pool, first, nowMs).length > 0;
    if (!couldGo) worker.roomSinceMs.delete(pool);
    else if (!worker.roomSinceMs.has(pool)) worker.roomSinceMs.set(pool, nowMs);
  }
}

/** That nothing is left once everything has finished. */
export function checkRest(ledger: Ledger, shadow: Shadow, workers: readonly WorkerView[]): void {
  checkCounts(ledger, shadow, workers);
  for (const { sessions } of workers) equal('sessions left', sessions.size, 0);
  equal('leases left', shadow.backends.sum + shadow.pools.sum, 0);
  equal('entries left', shadow.entrance.listeners.sum + shadow.entrance.clients.sum, 0);
  for (let slot = 0; slot < slots.pools; slot++) equal('queued', ledger.poolQueued.total(slot), 0);
  for (let slot = 0; slot < slots.backends; slot++) {
    equal('trials left', ledger.circuit.trials.total(slot), 0);
  }
}

function equal(what: string, found: number, expected: number): void {
  must(found === expected, () => `${what}: found ${found}, expected ${expected}`);
}
