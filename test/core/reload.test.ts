import { describe, expect, it } from 'vitest';
import type { Plan, PoolPlan, PoolPolicy, RouteCondition } from '../../src/core/plan.ts';
import {
  backendPlan,
  CoreStage,
  listenerPlan,
  listenerPolicy,
  planOf,
  poolPlan,
  poolPolicy,
} from './harness.ts';

const queue: Partial<PoolPolicy> = { limits: { ...poolPolicy.limits, queue: { size: 5, timeoutMs: 5_000 } } };

const always: RouteCondition = {
  sni: undefined,
  alpn: undefined,
  protocol: undefined,
  httpHost: undefined,
  client: undefined,
};

const noRetries: Partial<PoolPolicy> = { connect: { ...poolPolicy.connect, retries: 0 } };

describe('Core that follows a new plan', () => {
  it('changes nothing where the plan is the same', () => {
    const plan = planOf(poolPlan(3));
    const stage = new CoreStage(plan);
    stage.relay();
    expect(stage.follow(structuredClone(plan))).toEqual([]);
    expect([stage.relay().backend, stage.relay().backend, stage.relay().backend]).toEqual([1, 2, 0]);
  });

  it('leaves sessions in every stage alone where the plan is the same', () => {
    const plan = planOf(poolPlan([backendPlan(0, { maxConnections: 2 })], queue));
    const stage = new CoreStage(plan);
    const relaying = stage.relay();
    const dialing = stage.connect();
    const queued = stage.connect();
    expect(stage.follow(structuredClone(plan))).toEqual([]);
    expect(stage.ledger.poolQueued.total(0)).toBe(1);
    expect(stage.dialed(dialing.session)).toEqual([stage.joinOf(dialing.session)]);
    expect(stage.end(relaying.session)).toEqual([stage.dialOf(queued.session)]);
  });

  it('lets no session start on a removed backend, while those on it go on', () => {
    const stage = new CoreStage(planOf(poolPlan(2)));
    const old = stage.relay();
    expect(old.backend).toBe(0);
    expect(stage.follow(planOf(poolPlan([backendPlan(1)])))).toEqual([]);
    expect([stage.relay().backend, stage.relay().backend]).toEqual([1, 1]);
    expect(stage.ledger.backendActive.total(0)).toBe(1);
    stage.end(old.session);
    expect(stage.lastRecord).toMatchObject({ reason: 'finished', backend: '10.0.0.1:9000' });
    expect(stage.ledger.backendActive.total(0)).toBe(0);
  });

  it('never dials a removed backend again for a session whose dial failed there', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    const { session } = stage.connect();
    stage.follow(planOf(poolPlan([backendPlan(7)])));
    expect(CoreStage.dialed(stage.failDial(session))).toEqual([7]);
  });

  it('gives queued sessions what a new backend or a wider limit has room for', () => {
    const stage = new CoreStage(planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], queue)));
    stage.relay();
    stage.connect();
    const plan = planOf(poolPlan([backendPlan(0, { maxConnections: 1 }), backendPlan(1)], queue));
    expect(CoreStage.dialed(stage.follow(plan))).toEqual([1]);
  });

  it('refuses queued sessions at once where no backend is left', () => {
    const stage = new CoreStage(planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], queue)));
    stage.relay();
    const { session } = stage.connect();
    expect(stage.follow(planOf(poolPlan([], queue)))).toEqual([
      { kind: 'close', link: session, how: 'reset' },
    ]);
    stage.end(session, 'closed');
    expect(stage.lastRecord?.reason).toBe('no-backend');
  });

  describe('without a pool', () => {
    it('moves its queued sessions to the pool that their listener has now', () => {
      const stage = new CoreStage(planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], queue)));
      const old = stage.relay();
      const { session } = stage.connect();
      stage.nowMs += 30;
      expect(stage.follow(moved(poolPlan([backendPlan(5)], queue)))).toEqual([stage.dialOf(session)]);
      expect(stage.ledger.poolQueued.total(0)).toBe(0);
      stage.dialed(session);
      stage.end(session);
      expect(stage.lastRecord).toMatchObject({ pool: 'other', queueMs: 30, reason: 'finished' });
      stage.end(old.session);
      expect(stage.lastRecord).toMatchObject({ pool: 'app', reason: 'finished' });
    });

    it('puts them behind those who wait there', () => {
      const app = poolPlan([backendPlan(0, { maxConnections: 1 })], queue);
      const other = { ...poolPlan([backendPlan(1, { maxConnections: 1 })], queue), slot: 1, name: 'other' };
      const toOther = { ...listenerPlan(), slot: 1, name: 'to-other', pool: 1 };
      const stage = new CoreStage({ listeners: [listenerPlan(), toOther], pools: [app, other] });
      const accept = (listener: number) => stage.connect(undefined, listener).session;
      const [, second, third, fourth] = [accept(0), accept(0), accept(1), accept(1)];
      const wider = { ...other, backends: [backendPlan(1, { maxConnections: 2 })] };
      const commands = stage.follow({ listeners: [{ ...listenerPlan(), pool: 1 }, toOther], pools: [wider] });
      expect(commands).toEqual([stage.dialOf(fourth)]);
      stage.dialed(third);
      expect(stage.end(third, 'client-reset')).toEqual([stage.dialOf(second)]);
    });

    it('refuses them where the listener has none either', () => {
      const stage = new CoreStage(planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], queue)));
      stage.relay();
      const { session } = stage.connect();
      expect(stage.follow({ listeners: [], pools: [] })).toEqual([
        { kind: 'close', link: session, how: 'reset' },
      ]);
      expect(stage.ledger.poolQueued.total(0)).toBe(0);
    });

    it('gives its backends nothing new: who is refused there dials the pool that the listener has now', () => {
      const stage = new CoreStage(planOf(poolPlan(3, noRetries)));
      const { session } = stage.connect();
      stage.follow(moved(poolPlan([backendPlan(5)], noRetries)));
      expect(CoreStage.dialed(stage.failDial(session))).toEqual([5]);
      expect(CoreStage.dialed(stage.connect().commands)).toEqual([5]);
      expect(CoreStage.closed(stage.failDial(session))).toEqual(['reset']);
    });

    it('moves who gives up its dial there', () => {
      const stage = new CoreStage(planOf(poolPlan(1)));
      const { session } = stage.connect();
      const link = stage.backendOf(session) ?? -1;
      stage.elapse(poolPolicy.connect.timeoutMs);
      stage.follow(moved(poolPlan([backendPlan(5)])));
      expect(CoreStage.dialed(stage.close(link))).toEqual([5]);
    });

    it('moves who backs off there, and leaves its slot to whom it is given meanwhile', () => {
      const waiting: Partial<PoolPolicy> = {
        limits: { ...poolPolicy.limits, queue: { size: 5, timeoutMs: 5_000, whenNoBackend: 'wait' } },
      };
      const stage = new CoreStage(planOf(poolPlan(1, waiting)));
      const { session } = stage.connect();
      stage.failDial(session);
      const other = poolPlan([backendPlan(5)], waiting);
      const heir = { ...poolPlan([backendPlan(6)], waiting), name: 'heir' };
      const { listeners, pools } = moved(other);
      expect(CoreStage.dialed(stage.follow({ listeners, pools: [...pools, heir] }))).toEqual([5]);
      expect(stage.ledger.poolQueued.total(heir.slot)).toBe(0);
      stage.dialed(session);
      stage.end(session);
      expect(stage.lastRecord).toMatchObject({ pool: 'other', backend: '10.0.0.1:9005', attempts: 2 });
    });

    it('sends none of its sessions to another that goes with it', () => {
      const full = poolPlan([backendPlan(0, { maxConnections: 1 })], queue);
      const canary = { ...poolPlan([backendPlan(1)]), slot: 1, name: 'canary' };
      const shares = [0, 1].map((pool) => ({ pool, weight: 1 }));
      const listener = { ...listenerPlan(), routes: [{ when: always, to: { slot: 0, shares } }] };
      const stage = new CoreStage({ listeners: [listener], pools: [full, canary] });
      for (let client = 0; client < 3; client++) stage.connect();
      expect(stage.ledger.poolQueued.total(full.slot)).toBe(1);
      expect(CoreStage.dialed(stage.follow({ listeners: [], pools: [] }))).toEqual([]);
    });

    it('takes another pool in its slot for another', () => {
      const stage = new CoreStage(planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], queue)));
      stage.relay();
      const { session } = stage.connect();
      const renamed: PoolPlan = { ...poolPlan([backendPlan(5)], queue), name: 'renamed' };
      expect(stage.follow(planOf(renamed))).toEqual([stage.dialOf(session)]);
      stage.end(session, 'client-reset');
      expect(stage.lastRecord?.pool).toBe('renamed');
    });
  });

  it('takes new sessions by the new policy and lets old ones keep theirs', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    const old = stage.relay();
    const timeouts = { ...listenerPolicy.timeouts, idleMs: 1_000 };
    stage.follow(planOf(poolPlan(1), listenerPlan({ timeouts })));
    const young = stage.relay();
    expect(stage.elapse(1_000)).toEqual([{ kind: 'close', link: young.session, how: 'fin' }]);
    stage.end(young.session, 'closed');
    expect(stage.elapse(598_999)).toEqual([]);
    expect(stage.elapse(1)).toEqual([{ kind: 'close', link: old.session, how: 'fin' }]);
  });

  it('keeps a listener’s count over a change of its limit', () => {
    const limits = { ...listenerPolicy.limits, maxConnections: 2 };
    const stage = new CoreStage(planOf(poolPlan(1)));
    const old = stage.relay();
    stage.relay();
    stage.follow(planOf(poolPlan(1), listenerPlan({ limits })));
    expect(CoreStage.closed(stage.connect().commands)).toEqual(['reset']);
    stage.end(old.session);
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
  });

  it('forgets a listener that is gone with its last session', () => {
    const stage = new CoreStage(planOf(poolPlan(2)));
    const [first, last] = [stage.relay(), stage.relay()];
    stage.follow({ listeners: [], pools: [] });
    stage.end(first.session);
    stage.end(last.session);
    // Nobody comes any more, as its sockets are closed before it leaves the plan; whoever did would find no listener.
    const { session, commands } = stage.connect();
    expect(commands).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
    stage.close(session);
    stage.follow(planOf(poolPlan(2)));
    expect(CoreStage.dialed(stage.connect().commands)).toHaveLength(1);
  });

  it('forgets nothing of a listener that comes back before its last session has ended', () => {
    const stage = new CoreStage(planOf(poolPlan(2)));
    const { session } = stage.relay();
    stage.follow({ listeners: [], pools: [] });
    stage.follow(planOf(poolPlan(2)));
    stage.end(session);
    expect(CoreStage.dialed(stage.connect().commands)).toHaveLength(1);
  });

  it('keeps the state of breakers', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    for (let turn = 0; turn < 5; turn++) {
      const { session } = stage.connect();
      stage.failDial(session);
      stage.end(session, 'client-reset');
    }
    stage.follow(planOf(poolPlan(1, { balance: 'first' })));
    expect(CoreStage.closed(stage.connect().commands)).toEqual(['reset']);
  });
});

/** The listener has another pool, and the old one is gone. */
function moved(pool: PoolPlan): Plan {
  return {
    listeners: [{ ...listenerPlan(), pool: 1 }],
    pools: [{ ...pool, slot: 1, name: 'other' }],
  };
}
