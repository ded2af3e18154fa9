import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/core/contract.ts';
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import { reasons, servedReasons } from '../../src/core/reasons.ts';
import {
  backendPlan,
  CoreStage,
  listenerPlan,
  listenerPolicy,
  planOf,
  poolPlan,
  poolPolicy,
  sharedLedgers,
} from './harness.ts';

describe('Accounting', () => {
  it('counts each thing that happens to a session once', () => {
    const stage = new CoreStage(planOf(poolPlan(2)));
    const { session } = stage.connect();
    stage.nowMs += 3;
    stage.failDial(session);
    stage.nowMs += 7;
    stage.dialed(session);
    stage.nowMs += 100;
    stage.end(session);

    const { ledger } = stage;
    const totals = ledger.listenerTotals(0);
    expect([totals.accepted, closedOf(ledger), totals.closed('finished')]).toEqual([1, 1, 1]);
    expect(ledger.backendTotals(0)).toMatchObject({ connections: 0, circuitOpened: 0 });
    expect(ledger.backendTotals(0).dialFailures('connect-refused')).toBe(1);
    expect(ledger.backendTotals(1).connections).toBe(1);
    expect(ledger.connectDuration.read(0).sumMs).toBe(7);
    expect(ledger.sessionDuration.read(0).sumMs).toBe(110);
    expect(ledger.servedDuration.read(0).sumMs).toBe(100);
    expect(ledger.dialRetries.sum(0, 0)).toBe(1);
    expect([0, 1].map((slot) => ledger.backendTotals(slot).closed('finished'))).toEqual([0, 1]);
  });

  it('counts how long a backend took to its first byte, once it was connected', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    const { session } = stage.connect();
    stage.nowMs += 7;
    stage.dialed(session);
    stage.nowMs += 40;
    const link = stage.backendOf(session) ?? -1;
    expect(stage.say({ kind: 'first-byte', link })).toEqual([]);
    stage.end(session);
    expect(stage.ledger.firstByte.read(0)).toMatchObject({ sumMs: 40 });
    expect(stage.ledger.backendTotals(0)).toMatchObject({ firstBytes: 1, firstByteMs: 40 });
    expect(stage.lastRecord).toMatchObject({ firstByteMs: 40 });
  });

  it('counts how long sessions waited in the queue, whatever became of them, and shows who waits longest', () => {
    const limits = { maxConnections: 1, queue: { size: 3, timeoutMs: 500 } };
    const stage = new CoreStage(planOf(poolPlan(1, { limits })));
    const { ledger } = stage;
    const { session } = stage.relay();
    const left = stage.connect().session;
    stage.nowMs += 100;
    stage.connect();
    stage.connect();
    expect(ledger.queueTickets.waitingSinceMs(0)).toBe(stage.nowMs - 100);
    stage.nowMs += 100;
    stage.halfClose(left, 'client');
    expect(ledger.queueTickets.waitingSinceMs(0)).toBe(stage.nowMs - 100);
    expect(ledger.queueWait.read(0).sumMs).toBe(200);
    stage.end(session);
    expect(ledger.queueWait.read(0).sumMs).toBe(300);
    stage.elapse(500);
    expect(ledger.queueTickets.waitingSinceMs(0)).toBeUndefined();
    expect(ledger.queueWait.read(0).sumMs).toBe(800);
    expect(ledger.queueWait.read(0).counts.reduce((sum, count) => sum + count)).toBe(3);
  });

  it('leaves bytes to the driver, which counts each delivery', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    stage.end(stage.relay().session);
    expect(stage.ledger.listenerTotals(0)).toMatchObject({ bytesToBackend: 0, bytesToClient: 0 });
  });

  it('counts a refused session as accepted and closed', () => {
    const stage = new CoreStage(planOf(poolPlan(0)));
    const { session } = stage.connect();
    expect([stage.ledger.listenerTotals(0).accepted, closedOf(stage.ledger)]).toEqual([1, 0]);
    stage.end(session, 'closed');
    expect(stage.ledger.listenerTotals(0).closed('no-backend')).toBe(1);
    expect(stage.ledger.sessionDuration.read(0).counts.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('holds over two workers and any order of events: nothing leaks, nothing is counted twice', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(step(), { maxLength: 120 }), (seed, steps) => {
        const stages = sharedLedgers(2).map(
          (ledger, worker) => new CoreStage(tightPlan, { ledger, seed, worker }),
        );
        const living = stages.map(() => new Set<number>());
        for (const { worker, act, which } of steps) {
          const stage = stages[worker];
          const mine = living[worker];
          if (stage === undefined || mine === undefined) continue;
          const session = [...mine][which % Math.max(1, mine.size)];
          for (const other of stages) other.nowMs = stage.nowMs;
          let commands: readonly Command[] = [];
          if (act === 'connect') commands = begin(stage, mine, which);
          else if (act === 'elapse') commands = stage.elapse(which * 40);
          else if (session !== undefined) commands = perform(stage, act, session);
          for (const other of stages) other.nowMs = stage.nowMs;
          if (act.startsWith('end') && session !== undefined) mine.delete(session);
          for (const command of commands) {
            if (command.kind === 'wake') stages[command.worker]?.say({ kind: 'woken' });
            // A dial that is given up ends at once in this test; of a session only `end` ends the client's link.
            if (command.kind === 'close' && stage.isDialed(command.link)) stage.close(command.link);
          }
          expectExact(stages, living);
        }
        for (const [worker, sessions] of living.entries()) {
          for (const session of sessions) stages[worker]?.end(session, 'client-reset');
          sessions.clear();
        }
        expectExact(stages, living);
        const { ledger } = stages[0] ?? new CoreStage(tightPlan);
        const held = [ledger.listenerActive, ledger.poolActive, ledger.poolQueued];
        expect(held.map((counts) => counts.total(0))).toEqual([0, 0, 0]);
        expect([0, 1].map((slot) => ledger.backendActive.total(slot))).toEqual([0, 0]);
        expect([0, 1].map((slot) => ledger.circuit.trials.total(slot))).toEqual([0, 0]);
        expect(
          Array.from({ length: 64 }, (_, place) => ledger.clients.active.total(place)).some(Boolean),
        ).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

const acts = [
  'connect',
  'connect',
  'dialed',
  'dialed',
  'refused',
  'exhausted',
  'fin',
  'end',
  'end-reset',
  'elapse',
] as const;

type Act = (typeof acts)[number];

const step = () => fc.record({ worker: fc.nat(1), act: fc.constantFrom(...acts), which: fc.nat(30) });

const tightPlan = planOf(
  poolPlan([backendPlan(0, { maxConnections: 2 }), backendPlan(1, { maxConnections: 1 })], {
    limits: { maxConnections: 5, queue: { size: 2, timeoutMs: 500 } },
    circuitBreaker: { consecutiveFailures: 2, openForMs: 200, maxOpenForMs: 800, halfOpenTrials: 1 },
    connect: {
      ...poolPolicy.connect,
      timeoutMs: 300,
      retries: 2,
      backoff: { initialMs: 50, maxMs: 200 },
    },
  }),
  listenerPlan({
    refuseWith: 'close',
    limits: {
      ...listenerPolicy.limits,
      maxConnections: 8,
      perClient: { ...listenerPolicy.limits.perClient, maxConnections: 3 },
    },
  }),
);

function begin(stage: CoreStage, living: Set<number>, client: number) {
  const { session, commands } = stage.connect({ address: `192.0.2.${client % 4}`, port: 1 });
  living.add(session);
  return commands;
}

function perform(stage: CoreStage, act: Act, session: number): readonly Command[] {
  switch (act) {
    case 'dialed':
      return stage.isJoined(session) ? [] : stage.dialed(session);
    case 'refused':
      return stage.isJoined(session) ? [] : stage.failDial(session);
    case 'exhausted':
      return stage.isJoined(session) ? [] : stage.failDial(session, 'exhausted');
    case 'fin':
      return stage.halfClose(session, 'client', session % 4 === 0 ? 0 : 1);
    case 'end':
      return stage.end(session, 'finished');
    default:
      return stage.end(session, 'client-reset');
  }
}

/** accepted = active + closed, limits are kept, and each ended session was reported once. */
function expectExact(stages: readonly CoreStage[], living: readonly ReadonlySet<number>[]): void {
  const [{ ledger } = new CoreStage(tightPlan)] = stages;
  const active = stages.reduce((sum, { core }) => sum + core.activeSessions, 0);
  const reported = stages.reduce((sum, { records }) => sum + records.length, 0);
  expect(active).toBe(living.reduce((sum, sessions) => sum + sessions.size, 0));
  expect(ledger.listenerTotals(0).accepted).toBe(active + closedOf(ledger));
  expect(reported).toBe(closedOf(ledger));
  expect(ledger.listenerActive.total(0)).toBeLessThanOrEqual(8);
  expect(ledger.poolActive.total(0)).toBeLessThanOrEqual(5);
  expect(ledger.poolQueued.total(0)).toBeLessThanOrEqual(2);
  expect(ledger.backendActive.total(0)).toBeLessThanOrEqual(2);
  expect(ledger.backendActive.total(1)).toBeLessThanOrEqual(1);
  expect(ledger.poolActive.total(0)).toBe(ledger.backendActive.total(0) + ledger.backendActive.total(1));
  for (const slot of [0, 1]) expect(ledger.circuit.trials.total(slot)).toBeLessThanOrEqual(1);
  const served = stages.flatMap((stage, worker) =>
    [...(living[worker] ?? [])].filter((one) => stage.isJoined(one)),
  );
  expect(served.length).toBe([0, 1].reduce((sum, slot) => sum + servedBy(ledger, slot), 0));
}

/** By what is counted: connections made, less those that are over. */
function servedBy(ledger: Ledger, backend: number): number {
  const { connections, closed } = ledger.backendTotals(backend);
  return servedReasons.reduce((left, reason) => left - closed(reason), connections);
}

function closedOf(ledger: Ledger): number {
  const { closed } = ledger.listenerTotals(0);
  return reasons.reduce((sum, reason) => sum + closed(reason), 0);
}
