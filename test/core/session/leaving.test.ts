import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/core/contract.ts';
import { backendPlan, CoreStage, planOf, poolPlan, poolPolicy } from '../harness.ts';

const queued = { ...poolPolicy.limits, queue: { size: 5, timeoutMs: 5_000 } };

/** A session in each stage before a backend has taken it. */
const waiting = {
  dialing() {
    const stage = new CoreStage(planOf(poolPlan(1)));
    return { stage, session: stage.connect().session };
  },
  'backing off'() {
    const stage = new CoreStage(planOf(poolPlan(1)));
    const { session } = stage.connect();
    expect(stage.failDial(session)).toEqual([]);
    return { stage, session };
  },
  queued() {
    const stage = new CoreStage(
      planOf(poolPlan([backendPlan(0, { maxConnections: 1 })], { limits: queued })),
    );
    stage.relay();
    const { session, commands } = stage.connect();
    expect(commands).toEqual([]);
    return { stage, session };
  },
};

describe('Client that leaves', () => {
  it.each(Object.entries(waiting))(
    'while %s, by reset, is client-left and leaves nothing behind',
    (_, make) => {
      const { stage, session } = make();
      const before = stage.core.activeSessions;
      stage.end(session, 'client-reset');
      expect(stage.lastRecord).toMatchObject({
        reason: 'client-left',
        endedBy: 'client',
        connectMs: undefined,
      });
      expect(stage.core.activeSessions).toBe(before - 1);
      expectAllGivenBack(stage, before - 1);
      expect(stage.elapse(4_000)).toEqual([]);
    },
  );

  it.each(Object.entries(waiting))(
    'while %s, by FIN with nothing sent, is closed as client-left',
    (name, make) => {
      const { stage, session } = make();
      const before = stage.core.activeSessions;
      const commands = [...stage.halfClose(session, 'client')];
      const closes: Command[] = [{ kind: 'close', link: session, how: 'fin' }];
      if (name === 'dialing') {
        closes.unshift({ kind: 'close', link: stage.backendOf(session) ?? -1, how: 'reset' });
        commands.push(...stage.elapse(100));
      }
      expect(commands).toEqual(closes);
      stage.end(session, 'closed');
      expect(stage.lastRecord).toMatchObject({ reason: 'client-left', endedBy: 'client' });
      expectAllGivenBack(stage, before - 1);
    },
  );

  describe('by FIN with nothing sent while a dial is under way', () => {
    it('is relayed where the server answers soon, for it may be the one to speak', () => {
      const { stage, session } = waiting.dialing();
      expect(stage.halfClose(session, 'client')).toEqual([]);
      expect(stage.elapse(99)).toEqual([]);
      expect(stage.dialed(session)).toEqual([stage.joinOf(session)]);
      expect(stage.elapse(1_000)).toEqual([]);
    });

    it('is dialed for elsewhere, but no longer', () => {
      const stage = new CoreStage(planOf(poolPlan(2)));
      const { session } = stage.connect();
      stage.halfClose(session, 'client');
      stage.elapse(60);
      expect(CoreStage.dialed(stage.failDial(session))).toEqual([1]);
      expect(stage.elapse(39)).toEqual([]);
      expect(CoreStage.closed(stage.elapse(1))).toEqual(['reset', 'fin']);
    });

    it('does not outlive the time of the dial', () => {
      const connect = { ...poolPolicy.connect, timeoutMs: 50, retries: 0 };
      const stage = new CoreStage(planOf(poolPlan(1, { connect })));
      const { session } = stage.connect();
      stage.halfClose(session, 'client');
      expect(CoreStage.closed(stage.elapse(50))).toEqual(['reset']);
      expect(CoreStage.closed(stage.close(stage.backendOf(session) ?? -1))).toEqual(['reset']);
      stage.end(session, 'closed');
      expect(stage.lastRecord?.reason).toBe('connect-timeout');
    });

    it.each(['connect-refused', 'exhausted'] as const)(
      'is not waited for once the dial failed: %s',
      (why) => {
        const { stage, session } = waiting.dialing();
        stage.halfClose(session, 'client');
        expect(stage.failDial(session, why)).toEqual([{ kind: 'close', link: session, how: 'fin' }]);
        stage.end(session, 'closed');
        expect(stage.lastRecord?.reason).toBe('client-left');
      },
    );

    it('does not queue for another backend', () => {
      const limits = { ...poolPolicy.limits, queue: { size: 5, timeoutMs: 5_000 } };
      const full = backendPlan(1, { maxConnections: 0 });
      const circuitBreaker = {
        consecutiveFailures: 1,
        openForMs: 5_000,
        maxOpenForMs: 5_000,
        halfOpenTrials: 1,
      };
      const stage = new CoreStage(planOf(poolPlan([backendPlan(0), full], { limits, circuitBreaker })));
      const { session } = stage.connect();
      stage.halfClose(session, 'client');
      expect(stage.failDial(session)).toEqual([{ kind: 'close', link: session, how: 'fin' }]);
      expect(stage.ledger.poolQueued.total(0)).toBe(0);
    });
  });

  it.each(Object.entries(waiting))('while %s, by FIN after some bytes, still wants its answer', (_, make) => {
    const { stage, session } = make();
    expect(stage.halfClose(session, 'client', 5)).toEqual([]);
    expect(stage.core.nextDeadlineMs).toBeDefined();
  });

  it('after its dial succeeded is one that finished', () => {
    const { stage, session } = waiting.dialing();
    stage.dialed(session);
    stage.end(session);
    expect(stage.lastRecord?.reason).toBe('finished');
  });

  it('while it dials tells the breaker nothing', () => {
    const breaker = { consecutiveFailures: 1, openForMs: 1_000, maxOpenForMs: 1_000, halfOpenTrials: 1 };
    const stage = new CoreStage(
      planOf(poolPlan(1, { circuitBreaker: breaker, connect: { ...poolPolicy.connect, retries: 0 } })),
    );
    stage.end(stage.connect().session, 'client-reset');
    expect(stage.ledger.circuitOf(0)).toBe('closed');
    stage.failDial(stage.connect().session);
    stage.nowMs += 2_000;
    stage.end(stage.connect().session, 'client-reset');
    expect(stage.ledger.circuitOf(0)).toBe('half-open');
    expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
  });

  it('while it is being refused is refused for the same reason', () => {
    const stage = new CoreStage(planOf(poolPlan(0)));
    stage.end(stage.connect().session, 'client-reset');
    expect(stage.lastRecord).toMatchObject({ reason: 'no-backend', endedBy: 'proxy' });
  });

  it('is forgotten: nothing that still comes for its session does anything', () => {
    const { stage, session } = waiting.dialing();
    stage.end(session, 'client-reset');
    const late = [
      stage.dialed(session),
      stage.failDial(session),
      stage.halfClose(session, 'client'),
      stage.end(session),
    ];
    expect(late).toEqual([[], [], [], []]);
    expect(stage.records).toHaveLength(1);
  });
});

function expectAllGivenBack({ ledger, core }: CoreStage, sessions: number): void {
  expect(ledger.listenerActive.total(0)).toBe(sessions);
  expect(ledger.poolActive.total(0)).toBe(sessions);
  expect(ledger.backendActive.total(0)).toBe(sessions);
  expect(ledger.poolQueued.total(0)).toBe(0);
  expect(ledger.circuit.trials.total(0)).toBe(0);
  expect(core.activeSessions).toBe(sessions);
}
