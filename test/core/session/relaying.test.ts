import { describe, expect, it } from 'vitest';
import type { SessionTimeouts } from '../../../src/core/plan.ts';
import { CoreStage, listenerPlan, listenerPolicy, planOf, poolPlan } from '../harness.ts';

const unlimited = Number.POSITIVE_INFINITY;

describe('Session that relays', () => {
  it.each([
    ['finished', 'client'],
    ['client-reset', 'client'],
    ['backend-reset', 'backend'],
  ] as const)('ends as %s, by the %s', (how, endedBy) => {
    const stage = timed({});
    const { session } = stage.relay();
    stage.end(session, how);
    expect(stage.lastRecord).toMatchObject({ reason: how, endedBy });
    expect([stage.ledger.backendActive.total(0), stage.ledger.listenerActive.total(0)]).toEqual([0, 0]);
  });

  it('is finished by the backend where its FIN came first', () => {
    const stage = timed({});
    const { session } = stage.relay();
    const backend = stage.backendOf(session) ?? -1;
    stage.halfClose(session, 'backend');
    stage.close(session, 'finished', 2);
    expect(stage.records).toEqual([]);
    stage.close(backend, 'finished', 1);
    const bytes = { bytesToBackend: 1, bytesToClient: 2 };
    expect(stage.lastRecord).toMatchObject({ reason: 'finished', endedBy: 'backend', ...bytes });
  });

  it('is not closed by a driver that was not told to', () => {
    const stage = timed({});
    expect(() => stage.end(stage.relay().session, 'closed')).toThrow('without being told');
  });

  describe('with an idle timeout', () => {
    it('is closed after so long without a byte', () => {
      const stage = timed({ idleMs: 10_000 });
      const { session } = stage.relay();
      expect(stage.elapse(9_999)).toEqual([]);
      expect(stage.elapse(1)).toEqual([{ kind: 'close', link: session, how: 'fin' }]);
      stage.end(session, 'closed');
      expect(stage.lastRecord).toMatchObject({ reason: 'idle-timeout', endedBy: 'proxy' });
    });

    it('goes on as long as bytes move', () => {
      const stage = timed({ idleMs: 10_000 });
      stage.relay();
      for (let turn = 0; turn < 20; turn++) {
        expect(stage.elapse(9_000)).toEqual([]);
        stage.lastByteMs = stage.nowMs;
      }
      expect(stage.elapse(9_999)).toEqual([]);
      expect(CoreStage.closed(stage.elapse(1))).toEqual(['fin']);
    });

    it('counts from the relay and not from bytes before it', () => {
      const stage = timed({ idleMs: 10_000 });
      stage.lastByteMs = stage.nowMs;
      const { session } = stage.connect();
      stage.elapse(1_900);
      stage.dialed(session);
      expect(stage.elapse(9_999)).toEqual([]);
      expect(CoreStage.closed(stage.elapse(1))).toEqual(['fin']);
    });

    it('is reset if the client does not close within the linger', () => {
      const stage = timed({ idleMs: 10_000 });
      stage.relay();
      stage.elapse(10_000);
      expect(CoreStage.closed(stage.elapse(1_000))).toEqual(['reset']);
    });
  });

  describe('half-closed', () => {
    it.each(['client', 'backend'] as const)(
      'is closed after so long of silence since the FIN of the %s',
      (side) => {
        const stage = timed({ halfClosedMs: 1_000 });
        const { session } = stage.relay();
        stage.elapse(500);
        stage.lastByteMs = stage.nowMs;
        expect(stage.halfClose(session, side)).toEqual([]);
        expect(stage.elapse(999)).toEqual([]);
        expect(stage.elapse(1)).toEqual([{ kind: 'close', link: session, how: 'fin' }]);
        stage.end(session, 'closed');
        expect(stage.lastRecord).toMatchObject({ reason: 'half-closed-timeout', endedBy: 'proxy' });
      },
    );

    it('waits for an answer all the same where it was silent for long before the FIN', () => {
      const stage = timed({ idleMs: 600_000, halfClosedMs: 60_000 });
      const { session } = stage.relay();
      stage.elapse(300_000);
      expect(stage.halfClose(session, 'client')).toEqual([]);
      expect(stage.elapse(59_999)).toEqual([]);
      expect(CoreStage.closed(stage.elapse(1))).toEqual(['fin']);
    });

    it('goes on as long as bytes move', () => {
      const stage = timed({ halfClosedMs: 1_000 });
      const { session } = stage.relay();
      stage.halfClose(session, 'client');
      for (let turn = 0; turn < 20; turn++) {
        expect(stage.elapse(900)).toEqual([]);
        stage.lastByteMs = stage.nowMs;
      }
      expect(CoreStage.closed(stage.elapse(1_000))).toEqual(['fin']);
    });

    it('is idle where that comes first', () => {
      const stage = timed({ idleMs: 1_000, halfClosedMs: 60_000 });
      const { session } = stage.relay();
      stage.halfClose(session, 'client');
      stage.elapse(1_000);
      stage.end(session, 'closed');
      expect(stage.lastRecord?.reason).toBe('idle-timeout');
    });

    it('before the dial waits for its backend, and then as any other', () => {
      const stage = timed({ halfClosedMs: 1_000 });
      const { session } = stage.connect();
      expect(stage.halfClose(session, 'client', 5)).toEqual([]);
      stage.elapse(1_900);
      expect(stage.dialed(session)).toEqual([stage.joinOf(session)]);
      expect(stage.elapse(999)).toEqual([]);
      stage.elapse(1);
      stage.end(session, 'closed');
      expect(stage.lastRecord?.reason).toBe('half-closed-timeout');
    });
  });

  describe('with a longest lifetime', () => {
    it('is reset when it is over, bytes or not', () => {
      const stage = timed({ maxLifetimeMs: 30_000 });
      const { session } = stage.relay();
      for (let turn = 0; turn < 29; turn++) {
        expect(stage.elapse(1_000)).toEqual([]);
        stage.lastByteMs = stage.nowMs;
      }
      expect(stage.elapse(1_000)).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
      stage.end(session, 'closed');
      expect(stage.lastRecord).toMatchObject({ reason: 'lifetime-exceeded', endedBy: 'proxy' });
    });

    it('counts from the accept', () => {
      const stage = timed({ maxLifetimeMs: 5_000 });
      const { session } = stage.connect();
      stage.elapse(1_500);
      stage.dialed(session);
      expect(stage.elapse(3_499)).toEqual([]);
      expect(CoreStage.closed(stage.elapse(1))).toEqual(['reset']);
    });

    it('is seen although bytes have put off the idle timeout', () => {
      const stage = timed({ maxLifetimeMs: 15_000, idleMs: 10_000 });
      stage.relay();
      stage.elapse(9_000);
      stage.lastByteMs = stage.nowMs;
      expect(CoreStage.closed(stage.elapse(6_000))).toEqual(['reset']);
    });
  });

  it('is never called back where all its times are unlimited', () => {
    const stage = timed({ idleMs: unlimited, halfClosedMs: unlimited, maxLifetimeMs: unlimited });
    const { session } = stage.relay();
    stage.halfClose(session, 'client');
    expect(stage.core.nextDeadlineMs).toBeUndefined();
  });

  it('ends for the reason that it was closed for, whatever happens while it closes', () => {
    const stage = timed({ idleMs: 10_000 });
    const { session } = stage.relay();
    stage.elapse(10_000);
    stage.halfClose(session, 'client');
    stage.turn(0, 'down');
    stage.end(session, 'client-reset');
    expect(stage.lastRecord).toMatchObject({ reason: 'idle-timeout', endedBy: 'proxy' });
  });

  describe('when its backend goes down', () => {
    it('is reset where the pool closes such sessions, and no other is', () => {
      const stage = new CoreStage(planOf(poolPlan(2, { whenBackendDown: 'close' })));
      const [first, second] = [stage.relay(), stage.relay()];
      const dialing = stage.connect();
      expect([first.backend, second.backend, CoreStage.dialed(dialing.commands)]).toEqual([0, 1, [0]]);
      expect(stage.turn(0, 'down')).toEqual([{ kind: 'close', link: first.session, how: 'reset' }]);
      stage.end(first.session, 'closed');
      expect(stage.lastRecord).toMatchObject({ reason: 'backend-down', endedBy: 'proxy' });
      expect([stage.turn(0, 'up'), stage.turn(1, 'up')]).toEqual([[], []]);
    });

    it('goes on where the pool keeps them', () => {
      const stage = new CoreStage(planOf(poolPlan(1, { whenBackendDown: 'keep' })));
      stage.relay();
      expect(stage.turn(0, 'down')).toEqual([]);
    });
  });
});

function timed(timeouts: Partial<SessionTimeouts>): CoreStage {
  return new CoreStage(
    planOf(poolPlan(1), listenerPlan({ timeouts: { ...listenerPolicy.timeouts, ...timeouts } })),
  );
}
