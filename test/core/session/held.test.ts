/** Clients of a pool that an operator holds, and of one that is released again. */
import { describe, expect, it } from 'vitest';
import type { PoolHold, PoolPolicy } from '../../../src/core/plan.ts';
import { backendPlan, CoreStage, planOf, poolPlan, poolPolicy, sharedLedgers } from '../harness.ts';

const unlimited = Number.POSITIVE_INFINITY;
const held: PoolHold = { phase: 'held', timeoutMs: 30_000, ratePerSecond: unlimited };
const released: PoolHold = { ...held, phase: 'releasing' };
const noQueue = { size: 0, timeoutMs: 5_000 };

function plan(
  hold?: PoolHold,
  queue: PoolPolicy['limits']['queue'] = noQueue,
  more: Partial<PoolPolicy> = {},
) {
  const policy = { limits: { ...poolPolicy.limits, queue }, ...more };
  return planOf({ ...poolPlan([backendPlan(0)], policy), hold });
}

function waiting(stage: CoreStage, count: number): readonly number[] {
  return Array.from({ length: count }, () => {
    const { session, commands } = stage.connect();
    expect(commands).toEqual([]);
    return session;
  });
}

describe('A pool that is held', () => {
  it('lets its clients wait without a queue of its own, and dials for all in their order once it is released', () => {
    const stage = new CoreStage(plan(held));
    const [first = -1, second = -1] = waiting(stage, 2);
    stage.nowMs += 20_000;
    expect(stage.follow(plan(released))).toEqual([stage.dialOf(first), stage.dialOf(second)]);
    stage.dialed(first);
    stage.end(first);
    expect(stage.lastRecord).toMatchObject({ queueMs: 20_000, reason: 'finished', attempts: 1 });
  });

  it('leaves those alone whom a backend serves', () => {
    const stage = new CoreStage(plan());
    const { session } = stage.relay();
    expect(stage.follow(plan(held))).toEqual([]);
    stage.end(session);
    expect(stage.lastRecord?.reason).toBe('finished');
  });

  it.each(['not answered yet', 'in its TLS handshake'])(
    'gives up a dial that is %s, and has its client wait',
    (how) => {
      const tls = { servername: undefined, ca: undefined, verify: true, cert: undefined, key: undefined };
      const more = { connect: { ...poolPolicy.connect, retries: 0, ...(how.includes('TLS') && { tls }) } };
      const stage = new CoreStage(plan(undefined, noQueue, more));
      const { session } = stage.connect();
      if (how.includes('TLS')) stage.dialed(session);
      const link = stage.backendOf(session) ?? -1;
      expect(stage.follow(plan(held, noQueue, more))).toEqual([{ kind: 'close', link, how: 'reset' }]);
      expect(stage.core.list({}, 0, 9, stage.nowMs).sessions).toMatchObject([{ backend: undefined }]);
      expect(stage.ledger.backendActive.total(0)).toBe(1);
      expect(stage.close(link)).toEqual([]);
      expect([stage.ledger.backendActive.total(0), stage.ledger.poolQueued.total(0)]).toEqual([0, 1]);
      expect(stage.core.list({}, 0, 9, stage.nowMs).sessions).toMatchObject([{ state: 'held' }]);
      expect(stage.follow(plan(released, noQueue, more))).toEqual([stage.dialOf(session)]);
      stage.follow(plan(undefined, noQueue, more));
      stage.failDial(session);
      expect(stage.ledger.backendTotals(0).dialFailures('connect-refused')).toBe(1);
      stage.end(session, 'closed');
      expect(stage.lastRecord).toMatchObject({ reason: 'connect-refused', attempts: 1 });
      expect(stage.ledger.dialRetries.sum(0, 0)).toBe(0);
    },
  );

  it('leaves a client all the dials that it had, and counts none of them twice', () => {
    const stage = new CoreStage(plan());
    const { session } = stage.connect();
    stage.failDial(session);
    stage.elapse(poolPolicy.connect.backoff.maxMs);
    const retry = stage.backendOf(session) ?? -1;
    stage.follow(plan(held));
    stage.close(retry);
    stage.follow(plan(released));
    stage.dialed(session);
    expect(stage.ledger.dialRetries.sum(0, 0)).toBe(1);
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({ reason: 'finished', attempts: 2 });
  });

  it('dials at once for one whose dial it had given up, where it is released meanwhile', () => {
    const stage = new CoreStage(plan());
    const { session } = stage.connect();
    const link = stage.backendOf(session) ?? -1;
    stage.follow(plan(held));
    stage.follow(plan());
    expect(stage.close(link)).toEqual([stage.dialOf(session)]);
  });

  it('leaves a dial alone that is of a pool of its name which is gone', () => {
    const stage = new CoreStage(plan());
    const { session } = stage.connect();
    stage.follow(planOf({ ...poolPlan([backendPlan(0)]), name: 'other' }));
    stage.follow(plan());
    expect(stage.follow(plan(held))).toEqual([]);
    expect(stage.dialed(session)).toEqual([stage.joinOf(session)]);
  });

  it('forgets a client that leaves while its dial is given up', () => {
    const stage = new CoreStage(plan());
    const { session } = stage.connect();
    const link = stage.backendOf(session) ?? -1;
    stage.follow(plan(held));
    stage.close(session, 'reset-by-peer');
    stage.close(link);
    expect(stage.lastRecord).toMatchObject({ reason: 'client-left', backend: undefined, attempts: 0 });
  });

  it('has clients of the queue wait as long as the hold says, from when they began to', () => {
    const queue = { size: 5, timeoutMs: 5_000, whenNoBackend: 'wait' as const };
    const stage = new CoreStage(plan(undefined, queue));
    stage.turn(0, 'down');
    const [session = -1] = waiting(stage, 1);
    stage.elapse(2_000);
    stage.follow(plan({ ...held, timeoutMs: 20_000 }, queue));
    expect(stage.elapse(17_999)).toEqual([]);
    expect(CoreStage.closed(stage.elapse(1))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'queue-timeout', queueMs: 20_000 });
  });

  it('has room for as many as its queue, or for a thousand', () => {
    for (const [size, room] of [
      [3, 3],
      [0, 1_000],
    ] as const) {
      const stage = new CoreStage(plan(held, { ...noQueue, size }));
      waiting(stage, room);
      const { session, commands } = stage.connect();
      expect(CoreStage.closed(commands)).toEqual(['reset']);
      stage.end(session, 'closed');
      expect(stage.lastRecord?.reason).toBe('queue-full');
    }
  });

  it('forgets clients that leave', () => {
    const stage = new CoreStage(plan(held));
    const [finished = -1, reset = -1, stays] = waiting(stage, 3);
    stage.halfClose(finished, 'client');
    stage.end(finished, 'closed');
    stage.end(reset, 'client-reset');
    expect(stage.records.map(({ reason }) => reason)).toEqual(['client-left', 'client-left']);
    expect(stage.follow(plan(released))).toEqual([stage.dialOf(stays)]);
  });

  it('refuses those who wait where the hold ends so, and serves who comes then', () => {
    const stage = new CoreStage(plan(held));
    const [session = -1] = waiting(stage, 1);
    expect(CoreStage.closed(stage.say({ kind: 'refuse-waiting', pool: 0 }))).toEqual(['reset']);
    stage.follow(plan());
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'queue-timeout', endedBy: 'proxy' });
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
  });

  it('is seen in the list of sessions', () => {
    const stage = new CoreStage(plan(held));
    waiting(stage, 1);
    expect(stage.core.list({}, 0, 9, stage.nowMs).sessions).toMatchObject([{ state: 'held', pool: 'app' }]);
    expect(stage.core.list({ state: 'queued' }, 0, 9, stage.nowMs).sessions).toEqual([]);
  });
});

describe('A pool that is released', () => {
  it('keeps those waiting whom no backend is there for, until their time is over', () => {
    const stage = new CoreStage(plan(held));
    const [first] = waiting(stage, 2);
    stage.turn(0, 'down');
    stage.elapse(10_000);
    expect(stage.follow(plan(released))).toEqual([]);
    expect(stage.elapse(5_000)).toEqual([]);
    expect(stage.turn(0, 'up')[0]).toEqual(stage.dialOf(first));
  });

  it('dials again for those whom the backend refuses, beyond the retries', () => {
    const connect = { ...poolPolicy.connect, retries: 0, backoff: { initialMs: 100, maxMs: 100 } };
    const more = { connect, circuitBreaker: 'off' } as const;
    const stage = new CoreStage(plan(held, noQueue, more));
    const [session = -1] = waiting(stage, 1);
    stage.follow(plan(released, noQueue, more));
    for (let round = 0; round < 5; round++) {
      stage.failDial(session);
      expect(CoreStage.dialed(stage.elapse(100))).toEqual([0]);
    }
  });

  it.each([1, 2])('at a rate lets so many go in a second, first come first, on %i workers', (workers) => {
    const stages = sharedLedgers(workers).map(
      (ledger, worker) => new CoreStage(plan(held), { ledger, worker }),
    );
    const clients = Array.from({ length: 300 }, (_, client) => {
      const stage = at(stages, client % workers);
      return { stage, session: at(waiting(stage, 1), 0) };
    });
    const ledger = at(stages, 0).ledger;
    ledger.beginRelease(0, at(stages, 0).nowMs);
    for (const stage of stages) stage.follow(plan({ ...released, ratePerSecond: 100 }));
    const gone = () => clients.map(({ stage, session }) => stage.backendOf(session) !== undefined);
    for (let ms = 0; ms < 1_000; ms++) {
      for (const stage of stages) stage.elapse(1);
      const first = gone().indexOf(false);
      // Two that may go at once go in the order of their workers.
      expect(gone().lastIndexOf(true) - first).toBeLessThan(workers);
    }
    const count = gone().filter(Boolean).length;
    expect(count).toBeGreaterThanOrEqual(95);
    expect(count).toBeLessThanOrEqual(105);
  });

  it('at a rate has who comes wait behind the others', () => {
    const stage = new CoreStage(plan(held));
    waiting(stage, 3);
    stage.ledger.beginRelease(0, stage.nowMs);
    const slow = { ...released, ratePerSecond: 1 };
    expect(CoreStage.dialed(stage.follow(plan(slow)))).toEqual([0]);
    expect(stage.connect().commands).toEqual([]);
    expect(CoreStage.dialed(stage.elapse(3_100))).toEqual([0, 0, 0]);
  });

  it('at a rate does not wake one worker and the other in turns while no backend is up', () => {
    const stages = sharedLedgers(2).map((ledger, worker) => new CoreStage(plan(held), { ledger, worker }));
    for (const stage of stages) {
      waiting(stage, 1);
      stage.turn(0, 'down');
    }
    for (const stage of stages) {
      expect(stage.follow(plan({ ...released, ratePerSecond: 10 }))).toEqual([]);
      expect(stage.elapse(1_000)).toEqual([]);
      expect(stage.say({ kind: 'woken' })).toEqual([]);
    }
  });
});

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`Expected more than ${index}`);
  return found;
}
