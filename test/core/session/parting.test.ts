import { describe, expect, it } from 'vitest';
import { CoreStage, listenerPlan, listenerPolicy, planOf, poolPlan } from '../harness.ts';

describe('Session of which one link has ended', () => {
  it.each(['client', 'backend'] as const)(
    'ends by the %s that has reset, whichever link ends first',
    (side) => {
      for (const order of ['the one that reset', 'its partner'] as const) {
        const { stage, client, backend } = relaying();
        const [own, other] = side === 'client' ? [client, backend] : [backend, client];
        if (order === 'its partner') stage.close(other, 'reset-with-partner');
        stage.close(own, 'reset-by-peer');
        if (order !== 'its partner') stage.close(other, 'reset-with-partner');
        expect(stage.lastRecord).toMatchObject({ reason: `${side}-reset`, endedBy: side });
      }
    },
  );

  it('is over with the last of its links, and holds its places until then', () => {
    const { stage, client, backend } = relaying();
    stage.close(client, 'reset-by-peer');
    expect([stage.core.activeSessions, stage.ledger.backendActive.total(0)]).toEqual([1, 1]);
    expect(stage.records).toEqual([]);
    stage.close(backend, 'reset-with-partner', 7);
    expect([stage.core.activeSessions, stage.ledger.backendActive.total(0)]).toEqual([0, 0]);
    expect(stage.lastRecord).toMatchObject({ bytesToBackend: 7 });
  });

  it('is in the list of sessions once, until its last link has ended', () => {
    const { stage, client, backend } = relaying();
    const listed = () => stage.core.list({}, 0, 9, stage.nowMs).sessions.map(({ state }) => state);
    expect(listed()).toEqual(['relaying']);
    stage.close(client, 'reset-by-peer');
    expect(listed()).toEqual(['closing']);
    expect(stage.core.list({}, 0, 9, stage.nowMs).next).toBeUndefined();
    stage.close(backend, 'reset-with-partner');
    expect(listed()).toEqual([]);
  });

  it('gives its backend back with the backend’s link, though the client is there still', () => {
    const { stage, client, backend } = relaying();
    stage.close(backend, 'closed-early', 3);
    expect([stage.ledger.backendActive.total(0), stage.ledger.listenerActive.total(0)]).toEqual([0, 1]);
    stage.close(client, 'finished', 59);
    expect(stage.lastRecord).toMatchObject({ reason: 'backend-reset', bytesToBackend: 3, bytesToClient: 59 });
  });

  it.each(['client', 'backend'] as const)(
    'gives the other a second in all where the %s has reset',
    (side) => {
      const { stage, client, backend } = relaying();
      stage.waitingBytes = 100;
      const [own, other] = side === 'client' ? [client, backend] : [backend, client];
      expect(stage.close(own, 'reset-by-peer')).toEqual([]);
      expect(stage.elapse(999)).toEqual([]);
      expect(stage.elapse(1)).toEqual([{ kind: 'close', link: other, how: 'reset' }]);
      expect(stage.elapse(100_000)).toEqual([]);
    },
  );

  it('waits for what is still to be sent where a side has closed early, and a second more', () => {
    const { stage, client, backend } = relaying({ halfClosedMs: 60_000 });
    stage.waitingBytes = 100;
    stage.close(backend, 'closed-early');
    expect(stage.elapse(30_000)).toEqual([]);
    stage.waitingBytes = 0;
    // It is looked at once a second, and a second is what is left from then on.
    expect(stage.elapse(1_000)).toEqual([]);
    expect(stage.elapse(1_000)).toEqual([{ kind: 'close', link: client, how: 'reset' }]);
  });

  it('waits no longer than a half-closed session may be silent', () => {
    const { stage, client, backend } = relaying({ halfClosedMs: 5_000 });
    stage.waitingBytes = 100;
    stage.close(backend, 'closed-early');
    expect(stage.elapse(4_999)).toEqual([]);
    expect(stage.elapse(1)).toEqual([{ kind: 'close', link: client, how: 'reset' }]);
  });

  it('does not hold up a drain', () => {
    const { stage, client, backend } = relaying({ halfClosedMs: 60_000 });
    stage.waitingBytes = 100;
    stage.close(backend, 'closed-early');
    stage.say({ kind: 'drain', untilMs: stage.nowMs + 2_000 });
    expect(stage.elapse(2_999)).toEqual([]);
    expect(stage.elapse(1)).toEqual([{ kind: 'close', link: client, how: 'reset' }]);
  });

  it('goes on as long as it may where that was in order, and is finished by the side whose FIN came first', () => {
    const { stage, client, backend } = relaying({ halfClosedMs: 5_000 });
    stage.halfClose(client, 'backend');
    stage.close(client, 'finished');
    expect(stage.elapse(4_999)).toEqual([]);
    stage.close(backend, 'finished');
    expect(stage.lastRecord).toMatchObject({ reason: 'finished', endedBy: 'backend' });
  });

  it('is half-closed for too long where the other link does not end', () => {
    const { stage, client, backend } = relaying({ halfClosedMs: 5_000 });
    stage.halfClose(client, 'client');
    stage.close(client, 'finished');
    expect(stage.elapse(5_000)).toEqual([{ kind: 'close', link: backend, how: 'fin' }]);
    expect(stage.elapse(1_000)).toEqual([{ kind: 'close', link: backend, how: 'reset' }]);
    stage.close(backend);
    expect(stage.lastRecord).toMatchObject({ reason: 'half-closed-timeout', endedBy: 'proxy' });
  });

  it('is cut by a drain though only its backend’s link is left', () => {
    const { stage, client, backend } = relaying({ halfClosedMs: 60_000 });
    stage.halfClose(client, 'client');
    stage.close(client, 'finished');
    stage.say({ kind: 'drain', untilMs: stage.nowMs });
    expect(stage.elapse(0)).toEqual([{ kind: 'close', link: backend, how: 'reset' }]);
    stage.close(backend);
    expect(stage.lastRecord?.reason).toBe('drain-timeout');
  });
});

function relaying(timeouts: Partial<typeof listenerPolicy.timeouts> = {}) {
  const listener = listenerPlan({ timeouts: { ...listenerPolicy.timeouts, ...timeouts } });
  const stage = new CoreStage(planOf(poolPlan(1), listener));
  const client = stage.relay().session;
  return { stage, client, backend: stage.backendOf(client) ?? -1 };
}
