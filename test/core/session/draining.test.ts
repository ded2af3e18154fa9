import { describe, expect, it } from 'vitest';
import {
  backendPlan,
  CoreStage,
  listenerPlan,
  listenerPolicy,
  planOf,
  poolPlan,
  poolPolicy,
} from '../harness.ts';

describe('Core that drains', () => {
  it('lets open sessions finish until the time is over, then cuts the rest', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    const [early, late] = [stage.relay(), stage.relay()];
    stage.say({ kind: 'drain', untilMs: stage.nowMs + 1_000 });
    stage.elapse(500);
    stage.end(early.session);
    expect(stage.lastRecord?.reason).toBe('finished');
    expect(stage.elapse(499)).toEqual([]);
    expect(stage.elapse(1)).toEqual([{ kind: 'close', link: late.session, how: 'reset' }]);
    stage.end(late.session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'drain-timeout', endedBy: 'proxy' });
    expect([stage.core.activeSessions, stage.core.nextDeadlineMs]).toEqual([0, undefined]);
  });

  it('cuts sessions in every stage, and each once', () => {
    const limits = { ...poolPolicy.limits, queue: { size: 5, timeoutMs: 60_000 } };
    const connect = {
      ...poolPolicy.connect,
      timeoutMs: 60_000,
      backoff: { initialMs: 60_000, maxMs: 60_000 },
    };
    const stage = new CoreStage(
      planOf(poolPlan([backendPlan(0, { maxConnections: 2 })], { limits, connect })),
    );
    const backingOff = stage.connect();
    expect(stage.failDial(backingOff.session)).toEqual([]);
    const relaying = stage.relay();
    const dialing = stage.connect();
    const queued = stage.connect();
    stage.say({ kind: 'drain', untilMs: stage.nowMs });
    const sessions = [backingOff, relaying, dialing, queued].map(({ session }) => session);
    const links = [...sessions];
    links.splice(2, 0, stage.backendOf(dialing.session) ?? -1);
    expect(stage.elapse(0)).toEqual(links.map((link) => ({ kind: 'close', link, how: 'reset' })));
    expect(stage.elapse(100_000)).toEqual([]);
    for (const session of sessions) stage.end(session, 'closed');
    expect(stage.records.map(({ reason }) => reason)).toEqual(new Array(4).fill('drain-timeout'));
    const { listenerActive, poolActive, backendActive, poolQueued } = stage.ledger;
    expect([listenerActive, poolActive, backendActive, poolQueued].map((counts) => counts.total(0))).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it('leaves those alone that are closing already', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    const { session } = stage.relay();
    stage.elapse(600_000);
    stage.say({ kind: 'drain', untilMs: stage.nowMs });
    expect(stage.elapse(999)).toEqual([]);
    expect(CoreStage.closed(stage.elapse(1))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord?.reason).toBe('idle-timeout');
  });

  it('resets at once who is closing already where it stops, and each once', () => {
    const policy = { refuseWith: 'close', limits: { ...listenerPolicy.limits, maxConnections: 1 } } as const;
    const stage = new CoreStage(planOf(poolPlan(1), listenerPlan(policy)));
    const { session } = stage.relay();
    const refused = stage.connect().session;
    const resets = [session, refused].map((link) => ({ kind: 'close', link, how: 'reset' }));
    expect(stage.say({ kind: 'stop' })).toEqual(resets);
    expect(stage.elapse(10_000)).toEqual([]);
    stage.end(session, 'closed');
    stage.end(refused, 'closed');
    expect(stage.records.map(({ reason }) => reason)).toEqual(['drain-timeout', 'listener-full']);
  });

  it('takes the last word about its time', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    stage.relay();
    stage.say({ kind: 'drain', untilMs: stage.nowMs + 30_000 });
    stage.say({ kind: 'drain', untilMs: stage.nowMs + 10 });
    expect(CoreStage.closed(stage.elapse(10))).toEqual(['reset']);
  });
});
