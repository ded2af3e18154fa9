import { describe, expect, it } from 'vitest';
import type { ListenerLimits } from '../../../src/core/plan.ts';
import type { Reason } from '../../../src/core/reasons.ts';
import {
  backendPlan,
  CoreStage,
  listenerPlan,
  listenerPolicy,
  planOf,
  poolPlan,
  poolPolicy,
} from '../harness.ts';

const noLimits = listenerPolicy.limits;

describe('Session that is refused', () => {
  it('is listener-full over the listener’s limit, and a place is free once one has ended', () => {
    const stage = limited({ maxConnections: 2 });
    const { session } = stage.relay();
    stage.relay();
    expect(refusal(stage)).toBe('listener-full');
    stage.end(session);
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
    expect(refusal(stage)).toBe('listener-full');
  });

  it('holds its place while it is being closed', () => {
    const stage = limited({ maxConnections: 1 });
    const { session } = stage.connect();
    stage.halfClose(session, 'client');
    expect(CoreStage.closed(stage.elapse(100))).toEqual(['reset', 'fin']);
    expect(refusal(stage)).toBe('listener-full');
    stage.end(session, 'closed');
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
  });

  it('is rate-limited over the listener’s rate', () => {
    const stage = limited({ connectionsPerSecond: 1, burst: 2 });
    stage.connect();
    stage.connect();
    expect(refusal(stage)).toBe('rate-limited');
    stage.nowMs += 1_000;
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
  });

  it('is client-full over the client’s limit, whatever others have', () => {
    const stage = limited({ perClient: { ...noLimits.perClient, maxConnections: 1 } });
    const { session } = stage.relay();
    expect(refusal(stage)).toBe('client-full');
    expect(CoreStage.dialed(stage.connect({ address: '192.0.2.9', port: 1 }).commands)).toEqual([0]);
    stage.end(session);
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
  });

  it('is let in where the client can’t be told apart from so many', () => {
    const stage = limited({ perClient: { ...noLimits.perClient, maxConnections: 1 } });
    for (let client = 0; client < 200; client++) {
      const { commands } = stage.connect({ address: `10.0.0.${client}`, port: 1 });
      expect(CoreStage.closed(commands)).toEqual([]);
    }
  });

  it('is no-backend where none is willing', () => {
    const down = new CoreStage(planOf(poolPlan(1)));
    down.turn(0, 'down');
    expect(refusal(down)).toBe('no-backend');
    expect(refusal(new CoreStage(planOf(poolPlan([backendPlan(0, { weight: 0 })]))))).toBe('no-backend');
    expect(refusal(new CoreStage({ listeners: [listenerPlan()], pools: [] }))).toBe('no-backend');
  });

  it('is pool-full where backends are willing but for their limits, and there is no queue', () => {
    const stage = new CoreStage(planOf(poolPlan([backendPlan(0, { maxConnections: 1 })])));
    stage.relay();
    expect(refusal(stage)).toBe('pool-full');
    const limits = { ...poolPolicy.limits, maxConnections: 1 };
    const poolLimited = new CoreStage(planOf(poolPlan(3, { limits })));
    poolLimited.relay();
    expect(refusal(poolLimited)).toBe('pool-full');
  });

  it('is no-backend where all backends are drained, however few are healthy', () => {
    const backends = [backendPlan(0, { weight: 0 }), backendPlan(1, { state: 'drain' })];
    const stage = new CoreStage(planOf(poolPlan(backends, { panicThresholdPercent: 100 })));
    expect(refusal(stage)).toBe('no-backend');
    for (const backend of [0, 1]) stage.turn(backend, 'down');
    expect(refusal(stage)).toBe('no-backend');
  });

  it('is not where those that are down are all there are to take it', () => {
    const backends = [backendPlan(0, { weight: 0 }), backendPlan(1)];
    const stage = new CoreStage(planOf(poolPlan(backends, { panicThresholdPercent: 50 })));
    stage.turn(1, 'down');
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([1]);
  });

  it('never asks for a dial and names no backend', () => {
    const stage = limited({ maxConnections: 0 });
    const { session, commands } = stage.connect();
    expect(commands).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
    stage.nowMs += 3;
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({
      pool: undefined,
      backend: undefined,
      attempts: 0,
      durationMs: 3,
      endedBy: 'proxy',
    });
  });

  it('sees FIN where the listener says so, and RST if it does not close within the linger', () => {
    const stage = new CoreStage(
      planOf(poolPlan(1), listenerPlan({ refuseWith: 'close', limits: { ...noLimits, maxConnections: 0 } })),
    );
    const { session, commands } = stage.connect();
    expect(CoreStage.closed(commands)).toEqual(['fin']);
    expect(stage.elapse(999)).toEqual([]);
    expect(stage.elapse(1)).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
    expect(stage.elapse(100_000)).toEqual([]);
    stage.end(session, 'closed');
    expect(stage.lastRecord?.reason).toBe('listener-full');
  });

  it('is not reset after it has closed in time', () => {
    const stage = new CoreStage(
      planOf(poolPlan(1), listenerPlan({ refuseWith: 'close', limits: { ...noLimits, maxConnections: 0 } })),
    );
    stage.end(stage.connect().session, 'closed');
    expect(stage.elapse(100_000)).toEqual([]);
  });
});

function limited(limits: Partial<ListenerLimits>): CoreStage {
  return new CoreStage(planOf(poolPlan(1), listenerPlan({ limits: { ...noLimits, ...limits } })));
}

/** Why the next client is refused. */
function refusal(stage: CoreStage): Reason | undefined {
  const { session, commands } = stage.connect();
  expect(commands).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
  stage.end(session, 'closed');
  return stage.lastRecord?.reason;
}
