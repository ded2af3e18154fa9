import { describe, expect, it } from 'vitest';
import type { CircuitBreakerPolicy, PoolPolicy } from '../../../src/core/plan.ts';
import {
  backendPlan,
  CoreStage,
  listenerPlan,
  planOf,
  poolPlan,
  poolPolicy,
  sharedLedgers,
} from '../harness.ts';

const quickBreaker: CircuitBreakerPolicy = {
  consecutiveFailures: 1,
  openForMs: 1_000,
  maxOpenForMs: 1_000,
  halfOpenTrials: 1,
};

describe('Session that is queued', () => {
  it('is dialed for when another session gives its backend back', () => {
    const stage = queueing(1);
    const first = stage.relay();
    const second = stage.connect();
    expect(second.commands).toEqual([]);
    expect(stage.ledger.poolQueued.total(0)).toBe(1);
    stage.nowMs += 40;
    expect(CoreStage.dialed(stage.end(first.session))).toEqual([0]);
    stage.dialed(second.session);
    stage.end(second.session);
    expect(stage.lastRecord).toMatchObject({ queueMs: 40, attempts: 1, reason: 'finished' });
    expect(stage.ledger.poolQueued.total(0)).toBe(0);
  });

  it('is served in the order of coming', () => {
    const stage = queueing(3);
    let held = stage.relay().session;
    const waiting = [stage.connect(), stage.connect(), stage.connect()].map(({ session }) => session);
    for (const next of waiting) {
      expect(stage.end(held)).toEqual([expect.objectContaining({ kind: 'dial', session: next })]);
      stage.dialed(next);
      held = next;
    }
  });

  it('is not overtaken by one that comes later', () => {
    const [here, there] = pair({ size: 5 });
    const held = there.relay().session;
    const first = here.connect();
    there.end(held);
    // There is room, and this worker has not looked yet.
    const second = here.connect();
    expect(second.commands).toEqual([expect.objectContaining({ kind: 'dial', session: first.session })]);
  });

  it('is served in the order of coming, whichever workers they come to', () => {
    const [here, there] = pair({ size: 5 });
    const held = here.relay().session;
    const [first, second, third] = [there.connect(), here.connect(), there.connect()].map(
      ({ session }) => session,
    );
    // Its own worker sees the place first, but it is another's turn.
    expect(here.end(held)).toEqual([]);
    expect(here.elapse(20)).toEqual([]);
    expect(there.elapse(20)).toEqual([expect.objectContaining({ kind: 'dial', session: first })]);
    there.dialed(first ?? 0);
    expect(there.end(first ?? 0)).toEqual([]);
    expect(here.elapse(5)).toEqual([expect.objectContaining({ kind: 'dial', session: second })]);
    here.dialed(second ?? 0);
    here.end(second ?? 0);
    expect(there.elapse(5)).toEqual([expect.objectContaining({ kind: 'dial', session: third })]);
  });

  it('is not overtaken by one that comes later to another worker', () => {
    const [here, there] = pair({ size: 5 });
    const held = there.relay().session;
    const first = here.connect().session;
    there.end(held);
    expect(there.connect().commands).toEqual([]);
    expect(here.elapse(5)).toEqual([expect.objectContaining({ kind: 'dial', session: first })]);
  });

  it('need not wait for its turn where there are places for all who stand before it', () => {
    const backends = [backendPlan(0, { maxConnections: 1 }), backendPlan(1, { maxConnections: 2 })];
    const [here, there] = stages(planOf(poolPlan(backends, { limits: queueOf(5) })));
    const held = [here.relay(), here.relay(), here.relay()].map(({ session }) => session);
    const [first, second] = [there.connect(), here.connect()].map(({ session }) => session);
    expect(here.end(held[0] ?? 0)).toEqual([]);
    expect(here.end(held[1] ?? 0)).toEqual([expect.objectContaining({ kind: 'dial', session: second })]);
    expect(there.elapse(5)).toEqual([expect.objectContaining({ kind: 'dial', session: first })]);
  });

  it('is refused at once when every backend is down, whoever stands before it', () => {
    const [here, there] = pair({ size: 5 });
    here.relay();
    there.connect();
    const { session } = here.connect();
    expect(here.turn(0, 'down')).toEqual([{ kind: 'close', session, how: 'reset' }]);
    here.end(session, 'closed');
    expect(here.lastRecord?.reason).toBe('no-backend');
  });

  it('is not held up by a worker that has died', () => {
    const [here, there] = pair({ size: 5 });
    const held = here.relay().session;
    there.connect();
    const second = here.connect().session;
    expect(here.end(held)).toEqual([]);
    here.ledger.releaseAllOf(1);
    expect(here.elapse(5)).toEqual([expect.objectContaining({ kind: 'dial', session: second })]);
  });

  it('is one of at most so many: the next is queue-full, at once', () => {
    const stage = queueing(1);
    const { session: held } = stage.relay();
    stage.connect();
    const { session, commands } = stage.connect();
    expect(commands).toEqual([{ kind: 'close', session, how: 'reset' }]);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({
      reason: 'queue-full',
      pool: 'app',
      attempts: 0,
      endedBy: 'proxy',
    });
    stage.end(held);
    expect(stage.ledger.poolQueued.total(0)).toBe(0);
    expect(stage.connect().commands).toEqual([]);
  });

  it('is one of so many over all workers', () => {
    const [here, there] = pair({ size: 2 });
    here.relay();
    expect([here.connect().commands, there.connect().commands]).toEqual([[], []]);
    expect(CoreStage.closed(here.connect().commands)).toEqual(['reset']);
    expect(CoreStage.closed(there.connect().commands)).toEqual(['reset']);
  });

  it('is refused when its time is over', () => {
    const stage = queueing(2);
    stage.relay();
    const { session } = stage.connect();
    stage.elapse(2_000);
    const later = stage.connect();
    expect(stage.elapse(2_999)).toEqual([]);
    expect(stage.elapse(1)).toEqual([{ kind: 'close', session, how: 'reset' }]);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'queue-timeout', queueMs: 5_000, endedBy: 'proxy' });
    expect(stage.ledger.poolQueued.total(0)).toBe(1);
    expect(stage.elapse(2_000)).toEqual([{ kind: 'close', session: later.session, how: 'reset' }]);
  });

  it('makes room for the next when it leaves', () => {
    const stage = queueing(2);
    const { session: held } = stage.relay();
    const [first, second] = [stage.connect(), stage.connect()];
    stage.end(first.session, 'client-reset');
    expect(stage.lastRecord?.reason).toBe('client-left');
    expect(stage.connect().commands).toEqual([]);
    expect(stage.end(held)).toEqual([expect.objectContaining({ kind: 'dial', session: second.session })]);
  });

  it('is refused at once when every backend goes down', () => {
    const stage = queueing(5);
    stage.relay();
    const waiting = [stage.connect(), stage.connect()].map(({ session }) => session);
    const commands = stage.turn(0, 'down');
    expect(commands).toEqual(waiting.map((session) => ({ kind: 'close', session, how: 'reset' })));
    for (const session of waiting) stage.end(session, 'closed');
    expect(stage.records.map(({ reason }) => reason)).toEqual(['no-backend', 'no-backend']);
    expect(stage.ledger.poolQueued.total(0)).toBe(0);
  });

  it('is dialed for when a backend comes up', () => {
    const stage = queueing(5, [backendPlan(0, { maxConnections: 1 }), backendPlan(1)]);
    stage.turn(1, 'down');
    stage.relay();
    expect(stage.connect().commands).toEqual([]);
    expect(CoreStage.dialed(stage.turn(1, 'up'))).toEqual([1]);
  });

  it('is served in one go with others when there is room for several', () => {
    const stage = queueing(5);
    stage.relay();
    for (let client = 0; client < 4; client++) stage.connect();
    const plan = planOf(poolPlan([backendPlan(0, { maxConnections: 4 })], { limits: queueOf(5) }));
    expect(CoreStage.dialed(stage.follow(plan))).toEqual([0, 0, 0]);
    expect(stage.ledger.poolQueued.total(0)).toBe(1);
  });

  it('sees within a poll that another worker gave a backend back', () => {
    const [here, there] = pair({ size: 5 });
    const held = there.relay().session;
    expect(here.connect().commands).toEqual([]);
    there.end(held);
    expect(CoreStage.dialed(here.elapse(5))).toEqual([0]);
    here.end(0, 'client-reset');
    const again = there.relay().session;
    here.connect();
    expect(here.elapse(100)).toEqual([]);
    there.end(again);
    expect(CoreStage.dialed(here.elapse(5))).toEqual([0]);
    expect(there.core.nextDeadlineMs).toBeUndefined();
  });

  it('sees it in time although another pool is busy', () => {
    const [here, there] = twoPools();
    const held = there.relay().session;
    here.say({ kind: 'accepted', session: 1_000, listener: 0, client: { address: '192.0.2.1', port: 1 } });
    there.end(held);
    let busy = accept(here, 2_000, 1);
    const dialed: number[] = [];
    for (let turn = 1; turn <= 10; turn++) {
      // One waits for the other pool; its release wakes that queue every millisecond.
      accept(here, 2_000 + turn, 1);
      dialed.push(...CoreStage.dialed(here.elapse(1)));
      here.end(busy);
      busy = 2_000 + turn;
      here.dialed(busy);
    }
    expect(dialed).toContain(0);
  });

  it('is dialed for when a breaker’s time is over', () => {
    const stage = new CoreStage(
      planOf(
        poolPlan([backendPlan(0), backendPlan(1, { maxConnections: 1 })], {
          limits: queueOf(5),
          circuitBreaker: quickBreaker,
          connect: { ...poolPolicy.connect, retries: 0 },
        }),
      ),
    );
    stage.failDial(stage.connect().session);
    stage.relay();
    expect(stage.connect().commands).toEqual([]);
    expect(stage.elapse(890)).toEqual([]);
    expect(CoreStage.dialed(stage.elapse(220))).toEqual([0]);
  });

  it('waits for a full backend after another refused, without forgetting why', () => {
    const stage = new CoreStage(
      planOf(
        poolPlan([backendPlan(0), backendPlan(1, { maxConnections: 1 })], {
          balance: 'first',
          limits: queueOf(1),
          circuitBreaker: quickBreaker,
        }),
      ),
    );
    const first = stage.connect();
    expect(CoreStage.dialed(stage.failDial(first.session))).toEqual([1]);
    stage.dialed(first.session);
    stage.nowMs += 2_000;
    const [second, third] = [stage.connect(), stage.connect()];
    expect(CoreStage.dialed(second.commands)).toEqual([0]);
    expect(third.commands).toEqual([]);
    // The place in the queue is taken.
    expect(CoreStage.closed(stage.failDial(second.session))).toEqual(['reset']);
    stage.end(second.session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'connect-refused', attempts: 1 });
  });

  it('is not called for once nobody waits', () => {
    const stage = queueing(5);
    const held = stage.relay();
    const { session } = stage.connect();
    stage.end(held.session);
    stage.dialed(session);
    stage.end(session);
    stage.elapse(5);
    expect(stage.core.nextDeadlineMs).toBeUndefined();
  });
});

function queueOf(size: number): PoolPolicy['limits'] {
  return { ...poolPolicy.limits, queue: { size, timeoutMs: 5_000 } };
}

/** One backend that takes one session, and a queue. */
function queueing(size: number, backends = [backendPlan(0, { maxConnections: 1 })]): CoreStage {
  return new CoreStage(planOf(poolPlan(backends, { limits: queueOf(size) })));
}

/** The same for two workers. */
function pair({ size }: { size: number }): readonly [CoreStage, CoreStage] {
  const plan = planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], { limits: queueOf(size) }));
  return stages(plan);
}

/** Two workers, two listeners, and for each a pool of one backend that takes one session. */
function twoPools(): readonly [CoreStage, CoreStage] {
  const one = poolPlan([backendPlan(0, { maxConnections: 1 })], { limits: queueOf(5) });
  const other = poolPlan([backendPlan(1, { maxConnections: 1 })], { limits: queueOf(5) });
  return stages({
    listeners: [listenerPlan(), { ...listenerPlan(), slot: 1, name: 'other', pool: 1 }],
    pools: [one, { ...other, slot: 1, name: 'other' }],
  });
}

function stages(plan: ReturnType<typeof planOf>): readonly [CoreStage, CoreStage] {
  const [here, there] = sharedLedgers(2).map((ledger) => new CoreStage(plan, { ledger }));
  if (here === undefined || there === undefined) throw new Error('Expected two workers');
  return [here, there];
}

function accept(stage: CoreStage, session: number, listener: number): number {
  stage.say({ kind: 'accepted', session, listener, client: { address: '192.0.2.1', port: 1 } });
  return session;
}
