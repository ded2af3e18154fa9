import { describe, expect, it } from 'vitest';
import type { CircuitBreakerPolicy, PoolPolicy } from '../../../src/core/plan.ts';
import { backendPlan, CoreStage, planOf, poolPlan, poolPolicy, sharedLedgers } from '../harness.ts';

const quickBreaker: CircuitBreakerPolicy = {
  consecutiveFailures: 1,
  openForMs: 1_000,
  maxOpenForMs: 1_000,
  halfOpenTrials: 1,
};

const noRetries = { ...poolPolicy.connect, retries: 0 };

describe('Session that is queued', () => {
  it('is dialed for when another session gives its backend back', () => {
    const stage = queueing(1);
    const first = stage.relay();
    const second = stage.connect();
    expect(second.commands).toEqual([]);
    expect(stage.ledger.poolQueued.total(0)).toBe(1);
    stage.nowMs += 40;
    expect(stage.core.view(second.session, stage.nowMs)).toMatchObject({ state: 'queued', queueMs: 40 });
    expect(CoreStage.dialed(stage.end(first.session))).toEqual([0]);
    expect(stage.core.view(second.session, stage.nowMs + 5)).toMatchObject({ state: 'dialing', queueMs: 40 });
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
      expect(stage.end(held)).toEqual([stage.dialOf(next)]);
      stage.dialed(next);
      held = next;
    }
  });

  it('lets one whose dial fails go on before it, which came before, as long as there is room', () => {
    const limits = { maxConnections: 1, queue: { size: 5, timeoutMs: 5_000 } };
    const connect = { ...poolPolicy.connect, retries: 5 };
    const stage = new CoreStage(planOf(poolPlan(2, { limits, connect })));
    const first = stage.connect().session;
    const second = stage.connect().session;
    expect(stage.failDial(first)).toEqual([stage.dialOf(first)]);
    // It has tried all and backs off, so that the place is the other's; then it finds none.
    expect(stage.failDial(first)).toEqual([stage.dialOf(second)]);
    const third = stage.connect().session;
    expect(stage.elapse(poolPolicy.connect.backoff.maxMs)).toEqual([]);
    stage.dialed(second);
    expect(stage.end(second)).toEqual([stage.dialOf(third)]);
  });

  it('that was the last to wait leaves nothing to look for by time', () => {
    const policy = { limits: queueOf(5), circuitBreaker: quickBreaker, connect: noRetries };
    const backends = [0, 1].map((slot) => backendPlan(slot, { maxConnections: 1 }));
    const stage = new CoreStage(planOf(poolPlan(backends, policy)));
    const relayed = stage.relay().session;
    const failing = stage.connect().session;
    const waiting = stage.connect().session;
    stage.failDial(failing);
    stage.end(failing, 'closed');
    expect(stage.ledger.poolQueued.total(0)).toBe(1);
    stage.end(waiting, 'client-reset');
    stage.end(relayed);
    expect([stage.core.activeSessions, stage.core.nextDeadlineMs]).toEqual([0, undefined]);
  });

  it('is not overtaken by one that comes later', () => {
    const [here, there] = pair({ size: 5 });
    const held = there.relay().session;
    const first = here.connect();
    there.end(held);
    // There is room, and this worker has not looked yet.
    const second = here.connect();
    expect(second.commands).toEqual([here.dialOf(first.session)]);
  });

  it('is served in the order of coming, whichever workers they come to', () => {
    const [here, there] = pair({ size: 5 });
    const held = here.relay().session;
    const first = there.connect().session;
    const second = here.connect().session;
    const third = there.connect().session;
    // Its own worker sees the place first, but it is another's turn.
    expect(here.end(held)).toEqual([{ kind: 'wake', worker: 1 }]);
    expect(here.elapse(20)).toEqual([]);
    expect(there.say({ kind: 'woken' })).toEqual([there.dialOf(first)]);
    there.dialed(first);
    expect(there.end(first)).toEqual([{ kind: 'wake', worker: 0 }]);
    expect(here.say({ kind: 'woken' })).toEqual([here.dialOf(second)]);
    here.dialed(second);
    expect(here.end(second)).toEqual([{ kind: 'wake', worker: 1 }]);
    expect(there.say({ kind: 'woken' })).toEqual([there.dialOf(third)]);
  });

  it('is not overtaken by one that comes later to another worker', () => {
    const [here, there] = pair({ size: 5 });
    const held = there.relay().session;
    const first = here.connect().session;
    there.end(held);
    expect(CoreStage.dialed(there.connect().commands)).toEqual([]);
    expect(here.say({ kind: 'woken' })).toEqual([here.dialOf(first)]);
  });

  it('need not wait for its turn where there are places for all that stand before it', () => {
    const backends = [backendPlan(0, { maxConnections: 1 }), backendPlan(1, { maxConnections: 2 })];
    const [here, there] = stages(planOf(poolPlan(backends, { limits: queueOf(5) })));
    const held = [here.relay(), here.relay(), here.relay()].map(({ session }) => session);
    const first = there.connect().session;
    const second = here.connect().session;
    const wake = { kind: 'wake', worker: 1 };
    expect(here.end(held[0] ?? 0)).toEqual([wake]);
    expect(here.end(held[1] ?? 0)).toEqual([here.dialOf(second), wake]);
    expect(there.say({ kind: 'woken' })).toEqual([there.dialOf(first)]);
  });

  it('is refused at once when every backend is down, whichever stands before it', () => {
    const [here, there] = pair({ size: 5 });
    here.relay();
    const other = there.connect().session;
    const { session } = here.connect();
    expect(here.turn(0, 'down')).toEqual([
      { kind: 'close', link: session, how: 'reset' },
      { kind: 'wake', worker: 1 },
    ]);
    here.end(session, 'closed');
    expect(here.lastRecord?.reason).toBe('no-backend');
    expect(there.say({ kind: 'woken' })).toEqual([{ kind: 'close', link: other, how: 'reset' }]);
  });

  it('is not held up by a worker that has died', () => {
    const [here, there] = pair({ size: 5 });
    const held = here.relay().session;
    there.connect();
    const second = here.connect().session;
    expect(here.end(held)).toEqual([{ kind: 'wake', worker: 1 }]);
    here.ledger.releaseAllOf(1);
    expect(here.say({ kind: 'woken' })).toEqual([here.dialOf(second)]);
  });

  it('is dialed for when a breaker’s time is over that another worker has opened', () => {
    const backends = [backendPlan(0), backendPlan(1, { maxConnections: 1 })];
    const connect = { ...poolPolicy.connect, retries: 0 };
    const policy = { balance: 'first', limits: queueOf(5), circuitBreaker: quickBreaker, connect } as const;
    const [here, there] = stages(planOf(poolPlan(backends, policy)));
    const trial = there.connect().session;
    here.turn(0, 'down');
    here.relay();
    const waiting = here.connect().session;
    Atomics.store(here.ledger.health, 0, 0);
    // Nothing else happens to the worker whose client waits: the other one tells it that a breaker has opened.
    expect(there.failDial(trial).at(-1)).toEqual({ kind: 'wake', worker: 0 });
    expect(here.say({ kind: 'woken' })).toEqual([]);
    expect(here.elapse(890)).toEqual([]);
    expect(here.elapse(220)).toEqual([here.dialOf(waiting)]);
  });

  it('is served as fast by two workers as by one', () => {
    const served = (workers: number) => {
      const plan = planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], { limits: queueOf(100) }));
      const some = sharedLedgers(workers).map((ledger, worker) => new CoreStage(plan, { ledger, worker }));
      for (let client = 0; client < 100; client++) some[client % workers]?.connect();
      let records = 0;
      // Each session takes a millisecond; what is commanded about one is done before the next millisecond.
      for (let turn = 0; turn < 50; turn++) {
        for (const stage of some) stage.nowMs += 1;
        const busy = some.find((stage) => dialing(stage) >= 0);
        if (busy === undefined) continue;
        const session = dialing(busy);
        busy.dialed(session);
        const commands = busy.end(session);
        records += 1;
        for (const command of commands)
          if (command.kind === 'wake') some[command.worker]?.say({ kind: 'woken' });
      }
      return records;
    };
    expect(served(2)).toBe(served(1));
    expect(served(1)).toBe(50);
  });

  it('is one of at most so many: the next is queue-full, at once', () => {
    const stage = queueing(1);
    const { session: held } = stage.relay();
    stage.connect();
    const { session, commands } = stage.connect();
    expect(commands).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
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
    expect(stage.elapse(1)).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'queue-timeout', queueMs: 5_000, endedBy: 'proxy' });
    expect(stage.ledger.poolQueued.total(0)).toBe(1);
    expect(stage.elapse(2_000)).toEqual([{ kind: 'close', link: later.session, how: 'reset' }]);
  });

  it('makes room for the next when it leaves', () => {
    const stage = queueing(2);
    const { session: held } = stage.relay();
    const [first, second] = [stage.connect(), stage.connect()];
    stage.end(first.session, 'client-reset');
    expect(stage.lastRecord?.reason).toBe('client-left');
    expect(stage.connect().commands).toEqual([]);
    expect(stage.end(held)).toEqual([stage.dialOf(second.session)]);
  });

  it('is refused at once when every backend goes down', () => {
    const stage = queueing(5);
    stage.relay();
    const waiting = [stage.connect(), stage.connect()].map(({ session }) => session);
    const commands = stage.turn(0, 'down');
    expect(commands).toEqual(waiting.map((session) => ({ kind: 'close', link: session, how: 'reset' })));
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

function stages(plan: ReturnType<typeof planOf>): readonly [CoreStage, CoreStage] {
  const [here, there] = sharedLedgers(2).map((ledger, worker) => new CoreStage(plan, { ledger, worker }));
  if (here === undefined || there === undefined) throw new Error('Expected two workers');
  return [here, there];
}

/** The session that is being dialed for; -1 where none is. */
function dialing(stage: CoreStage): number {
  for (let session = 0; session < 200; session += 2)
    if (stage.backendOf(session) !== undefined) return session;
  return -1;
}

describe('Session of a pool that waits for its first backend', () => {
  const limits = { ...queueOf(5), queue: { size: 5, timeoutMs: 1_000, whenNoBackend: 'wait' as const } };
  const waiting = (policy: Partial<PoolPolicy> = {}) =>
    new CoreStage(planOf(poolPlan(1, { limits, circuitBreaker: 'off', ...policy })));

  it('is served when it comes up', () => {
    const stage = waiting();
    stage.turn(0, 'down');
    const [first, second] = [stage.connect(), stage.connect()];
    expect([first.commands, second.commands]).toEqual([[], []]);
    stage.nowMs += 400;
    expect(CoreStage.dialed(stage.turn(0, 'up'))).toEqual([0, 0]);
    stage.dialed(first.session);
    stage.end(first.session);
    expect(stage.lastRecord).toMatchObject({ queueMs: 400, reason: 'finished' });
  });

  it('is refused once its time is over, and not before', () => {
    const stage = waiting();
    stage.turn(0, 'down');
    const { session } = stage.connect();
    expect(stage.elapse(999)).toEqual([]);
    expect(CoreStage.closed(stage.elapse(1))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'queue-timeout', queueMs: 1_000 });
  });

  it('dials again and again while its backend refuses, beyond its retries', () => {
    const connect = { ...poolPolicy.connect, retries: 0, backoff: { initialMs: 100, maxMs: 100 } };
    const stage = waiting({ connect });
    const { session } = stage.connect();
    let dials = 1;
    for (let round = 0; round < 5; round++) {
      stage.failDial(session);
      dials += CoreStage.dialed(stage.elapse(100)).length;
    }
    expect(dials).toBe(6);
    stage.dialed(session);
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({ attempts: 6, reason: 'finished' });
  });

  it('gives up with what the last dial failed of when its time is over', () => {
    const connect = { ...poolPolicy.connect, retries: 0, backoff: { initialMs: 400, maxMs: 400 } };
    const stage = waiting({ connect });
    const { session } = stage.connect();
    for (let round = 0; round < 3; round++) {
      stage.failDial(session);
      stage.elapse(400);
    }
    expect(CoreStage.closed(stage.failDial(session))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'connect-refused' });
  });

  it('waits on two workers without waking the other in turns', () => {
    const [here, there] = stages(planOf(poolPlan([backendPlan(0, { state: 'drain' })], { limits })));
    here.connect();
    expect(there.connect().commands).toEqual([]);
    expect(here.say({ kind: 'woken' })).toEqual([]);
  });

  it('is refused at once where the queue is full', () => {
    const stage = waiting();
    stage.turn(0, 'down');
    for (let client = 0; client < 5; client++) expect(stage.connect().commands).toEqual([]);
    const { session, commands } = stage.connect();
    expect(CoreStage.closed(commands)).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'queue-full' });
  });
});
