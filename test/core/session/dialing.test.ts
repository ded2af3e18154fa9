import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/core/contract.ts';
import type { PoolPolicy } from '../../../src/core/plan.ts';
import {
  backendPlan,
  CoreStage,
  endpoint,
  listenerPlan,
  listenerPolicy,
  planOf,
  poolPlan,
  poolPolicy,
} from '../harness.ts';

describe('Session that dials', () => {
  it('goes where others of its network go by source-hash, however long its listener says that networks are', () => {
    const backendsOf = (ipv6Prefix: number): number => {
      const { limits } = listenerPolicy;
      const listener = listenerPlan({
        limits: { ...limits, perClient: { ...limits.perClient, ipv6Prefix } },
      });
      const stage = new CoreStage(planOf(poolPlan(16, { balance: 'source-hash' }), listener));
      const clients = Array.from({ length: 40 }, (_, host) => `2001:db8::${host.toString(16)}:1`);
      return new Set(clients.map((address) => stage.relay({ address, port: 1 }).backend)).size;
    };
    expect([backendsOf(64), backendsOf(96)]).toEqual([1, 1]);
    expect(backendsOf(112)).toBeGreaterThan(8);
    expect(backendsOf(128)).toBeGreaterThan(8);
  });

  it('dials the picked backend, relays once it answers, and writes down how it went', () => {
    const stage = of(2);
    const { session, commands } = stage.connect();
    const link = stage.backendOf(session);
    expect(commands).toEqual([{ kind: 'connect', link, address: { host: '10.0.0.1', port: 9_000 } }]);
    stage.nowMs += 7;
    expect(stage.dialed(session)).toEqual([stage.joinOf(session)]);
    stage.nowMs += 100;
    expect(stage.end(session)).toEqual([]);
    expect(stage.records).toEqual([
      {
        listener: 'web',
        client: endpoint('192.0.2.1', 40_000),
        pool: 'app',
        backend: '10.0.0.1:9000',
        attempts: 1,
        queueMs: 0,
        connectMs: 7,
        durationMs: 107,
        bytesToBackend: 5,
        bytesToClient: 0,
        reason: 'finished',
        endedBy: 'client',
        isEmpty: false,
      },
    ]);
    expect(stage.core.activeSessions).toBe(0);
    expect(stage.core.nextDeadlineMs).toBeUndefined();
  });

  it('goes to another backend at once when a dial fails', () => {
    const stage = of(3);
    const { session } = stage.connect();
    expect(CoreStage.dialed(stage.failDial(session))).toEqual([1]);
    expect(CoreStage.dialed(stage.failDial(session, 'connect-failed'))).toEqual([2]);
    expect(stage.dialed(session)).toEqual([stage.joinOf(session)]);
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({ backend: '10.0.0.1:9002', attempts: 3, reason: 'finished' });
    expect([0, 1, 2].map((slot) => stage.ledger.backendActive.total(slot))).toEqual([0, 0, 0]);
  });

  it('writes down which dials failed where there was more than one, and says each', () => {
    const stage = of(3);
    const { session } = stage.connect();
    stage.failDial(session);
    stage.elapse(2_000);
    stage.close(stage.backendOf(session) ?? -1);
    stage.dialed(session);
    stage.end(session);
    const dials = [
      { backend: '10.0.0.1:9000', error: 'ECONNREFUSED' },
      { backend: '10.0.0.1:9001', error: 'No answer within 2000 ms' },
    ];
    expect(stage.lastRecord).toMatchObject({ backend: '10.0.0.1:9002', detail: undefined, dials });
    const said = { kind: 'dial-failed', listener: 'web', client: endpoint('192.0.2.1', 40_000), pool: 'app' };
    expect(stage.incidents).toEqual([
      { ...said, ...dials[0], attempt: 1, reason: 'connect-refused' },
      { ...said, ...dials[1], attempt: 2, reason: 'connect-timeout' },
    ]);
  });

  it('has no list of a single dial', () => {
    const stage = of(1, { connect: { ...poolPolicy.connect, retries: 0 } });
    const { session } = stage.connect();
    stage.failDial(session);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ detail: 'ECONNREFUSED', dials: undefined });
  });

  it('blames no backend for a dial that this process had no descriptor for', () => {
    const stage = of(1, { connect: { ...poolPolicy.connect, retries: 1 } });
    const { session } = stage.connect();
    stage.failDial(session, 'exhausted');
    stage.elapse(1_000);
    stage.failDial(session, 'exhausted');
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({
      reason: 'overloaded',
      backend: undefined,
      dials: undefined,
      detail: 'Out of memory (ECONNREFUSED)',
    });
    expect(stage.incidents).toMatchObject([{ reason: 'overloaded' }, { reason: 'overloaded' }]);
  });

  it('says of a breaker that it has opened, half-opened and closed, once each', () => {
    const stage = of(1, { circuitBreaker: breaker(2), connect: { ...poolPolicy.connect, retries: 0 } });
    const fail = () => {
      const { session } = stage.connect();
      stage.failDial(session);
      stage.end(session, 'closed');
    };
    const changes = () => stage.incidents.splice(0).flatMap((one) => (one.kind === 'circuit' ? [one] : []));
    fail();
    expect(changes()).toEqual([]);
    fail();
    const backend = { kind: 'circuit', pool: 'app', backend: '10.0.0.1:9000', slot: 0 };
    const opened = { to: 'open', failures: 2, lastError: 'ECONNREFUSED', openForMs: 5_000 };
    expect(changes()).toEqual([{ ...backend, change: opened }]);
    stage.elapse(6_000);
    fail();
    expect(changes().map(({ change }) => change)).toEqual([
      { to: 'half-open' },
      { ...opened, failures: 1, openForMs: 10_000 },
    ]);
    stage.elapse(12_000);
    stage.end(stage.relay().session);
    expect(changes().map(({ change }) => change)).toEqual([{ to: 'half-open' }, { to: 'closed' }]);
  });

  it('waits before it dials a backend again only after all were tried', () => {
    const stage = of(2, { connect: { ...poolPolicy.connect, retries: 3 } });
    const { session } = stage.connect();
    expect(CoreStage.dialed(stage.failDial(session))).toEqual([1]);
    expect(stage.failDial(session)).toEqual([]);
    expect(stage.ledger.poolActive.total(0)).toBe(0);
    expect(CoreStage.dialed(stage.elapse(50))).toHaveLength(1);
    // All are untried again: the next failure goes to the other at once.
    expect(CoreStage.dialed(stage.failDial(session))).toHaveLength(1);
    expect(CoreStage.closed(stage.failDial(session))).toEqual(['reset']);
  });

  it('waits longer each time, by its pool’s backoff', () => {
    const stage = of(1, {
      circuitBreaker: 'off',
      connect: { ...poolPolicy.connect, retries: 30, backoff: { initialMs: 50, maxMs: 200 } },
    });
    const { session } = stage.connect();
    const waitsMs: number[] = [];
    for (let dial = 0; dial < 30; dial++) {
      expect(stage.failDial(session)).toEqual([]);
      const sinceMs = stage.nowMs;
      const dueMs = stage.core.nextDeadlineMs ?? Number.NaN;
      waitsMs.push(dueMs - sinceMs);
      expect(CoreStage.dialed(stage.elapse(dueMs - sinceMs))).toEqual([0]);
    }
    expect(waitsMs[0]).toBeLessThanOrEqual(50);
    expect(waitsMs[1]).toBeLessThanOrEqual(100);
    expect(Math.max(...waitsMs)).toBeLessThanOrEqual(200);
    expect(Math.max(...waitsMs)).toBeGreaterThan(100);
    expect(Math.min(...waitsMs)).toBeGreaterThanOrEqual(0);
  });

  it.each(['connect-refused', 'connect-failed'] as const)('ends with %s after its last dial', (why) => {
    const stage = of(3, { connect: { ...poolPolicy.connect, retries: 1 } });
    const { session } = stage.connect();
    stage.failDial(session, 'connect-refused');
    expect(CoreStage.closed(stage.failDial(session, why))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({
      reason: why,
      endedBy: 'proxy',
      attempts: 2,
      connectMs: undefined,
    });
  });

  it('makes one dial where retries are 0', () => {
    const stage = of(3, { connect: { ...poolPolicy.connect, retries: 0 } });
    const { session } = stage.connect();
    expect(stage.failDial(session)).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'connect-refused', attempts: 1, pool: 'app' });
  });

  it('aborts a dial whose time is over and goes on', () => {
    const stage = of(2);
    const { session } = stage.connect();
    expect(stage.elapse(1_999)).toEqual([]);
    expect(kinds(stage.elapse(1))).toEqual(['close']);
    expect(kinds(stage.close(stage.backendOf(session) ?? -1))).toEqual(['connect']);
    expect(kinds(stage.elapse(2_000))).toEqual(['close']);
    expect(stage.close(stage.backendOf(session) ?? -1)).toEqual([]);
    stage.elapse(50);
    expect(kinds(stage.elapse(2_000))).toEqual(['close']);
    expect(stage.close(stage.backendOf(session) ?? -1)).toEqual([
      { kind: 'close', link: session, how: 'reset' },
    ]);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'connect-timeout', attempts: 3 });
    expect(stage.ledger.backendTotals(0).dialFailures('connect-timeout')).toBeGreaterThan(0);
  });

  it('never times out a dial that was answered in time', () => {
    const stage = of(1);
    const { session } = stage.connect();
    stage.elapse(1_999);
    stage.dialed(session);
    expect(stage.elapse(10_000)).toEqual([]);
  });

  it('gives up at once where the others are unwilling, with the reason of its dial', () => {
    const stage = of(2);
    stage.turn(1, 'down');
    const { session } = stage.connect();
    stage.turn(0, 'down');
    expect(CoreStage.closed(stage.failDial(session))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'connect-refused', attempts: 1 });
  });

  it('ends with the reason of its dial where the others are full', () => {
    const stage = new CoreStage(
      planOf(
        poolPlan([backendPlan(0), backendPlan(1, { maxConnections: 0 })], { circuitBreaker: breaker(1) }),
      ),
    );
    const { session } = stage.connect();
    expect(CoreStage.closed(stage.failDial(session))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord?.reason).toBe('connect-refused');
  });

  it('counts failures against the backend, and its breaker opens', () => {
    const stage = of(1, { connect: { ...poolPolicy.connect, retries: 0 } });
    for (let turn = 0; turn < 5; turn++) {
      const { session } = stage.connect();
      stage.failDial(session);
      stage.end(session, 'closed');
    }
    expect(stage.ledger.circuitOf(0)).toBe('open');
    const { session, commands } = stage.connect();
    expect(commands).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'no-backend', attempts: 0, backend: undefined });
    expect(stage.ledger.backendTotals(0).dialFailures('connect-refused')).toBe(5);
  });

  it('lets halfOpenTrials of 50 clients try a backend whose breaker half-opens', () => {
    const stage = of(1, { circuitBreaker: breaker(1, 2), connect: { ...poolPolicy.connect, retries: 0 } });
    stage.failDial(stage.connect().session);
    stage.nowMs += 10_000;
    const clients = Array.from({ length: 50 }, () => stage.connect());
    expect(clients.filter(({ commands }) => commands[0]?.kind === 'connect')).toHaveLength(2);
    stage.dialed(clients[0]?.session ?? -1);
    expect(stage.ledger.circuitOf(0)).toBe('closed');
  });

  describe('out of descriptors or memory', () => {
    const none = { connect: { ...poolPolicy.connect, retries: 2 } };

    it('backs off and is overloaded in the end', () => {
      const stage = of(3, none);
      const { session } = stage.connect();
      expect(stage.failDial(session, 'exhausted')).toEqual([]);
      expect(CoreStage.dialed(stage.elapse(50))).toHaveLength(1);
      expect(stage.failDial(session, 'exhausted')).toEqual([]);
      expect(CoreStage.dialed(stage.elapse(100))).toHaveLength(1);
      expect(CoreStage.closed(stage.failDial(session, 'exhausted'))).toEqual(['reset']);
      stage.end(session, 'closed');
      expect(stage.lastRecord).toMatchObject({ reason: 'overloaded', attempts: 3, endedBy: 'proxy' });
    });

    it('blames no backend', () => {
      const stage = of(1, { circuitBreaker: breaker(1), connect: { ...poolPolicy.connect, retries: 0 } });
      stage.failDial(stage.connect().session, 'exhausted');
      const { dialFailures } = stage.ledger.backendTotals(0);
      expect([dialFailures('connect-refused'), dialFailures('connect-failed')]).toEqual([0, 0]);
      expect(stage.ledger.circuitOf(0)).toBe('closed');
      expect(stage.ledger.backendActive.total(0)).toBe(0);
    });

    it('frees the trial of a half-open breaker', () => {
      const stage = of(1, { circuitBreaker: breaker(1), connect: { ...poolPolicy.connect, retries: 0 } });
      stage.failDial(stage.connect().session);
      stage.nowMs += 10_000;
      stage.failDial(stage.connect().session, 'exhausted');
      expect(stage.ledger.circuitOf(0)).toBe('half-open');
      expect(CoreStage.dialed(stage.connect().commands)).toEqual([0]);
    });
  });

  it('is closed with FIN where the listener says so', () => {
    const plan = planOf(
      poolPlan(1, { connect: { ...poolPolicy.connect, retries: 0 } }),
      listenerPlan({ refuseWith: 'close' }),
    );
    const stage = new CoreStage(plan);
    expect(CoreStage.closed(stage.failDial(stage.connect().session))).toEqual(['fin']);
  });

  it('does not heed what comes of a dial after it was closed', () => {
    const stage = of(2);
    const { session } = stage.connect();
    stage.say({ kind: 'drain', untilMs: stage.nowMs });
    expect(CoreStage.closed(stage.elapse(0))).toEqual(['reset', 'reset']);
    expect([stage.dialed(session), stage.failDial(session)]).toEqual([[], []]);
    stage.end(session, 'closed');
    expect(stage.lastRecord?.reason).toBe('drain-timeout');
    expect(stage.ledger.backendTotals(0).connections).toBe(0);
  });
});

function of(backends: number, policy: Partial<PoolPolicy> = {}): CoreStage {
  return new CoreStage(planOf(poolPlan(backends, policy)));
}

function breaker(consecutiveFailures: number, halfOpenTrials = 1): PoolPolicy['circuitBreaker'] {
  return { consecutiveFailures, openForMs: 5_000, maxOpenForMs: 300_000, halfOpenTrials };
}

function kinds(commands: readonly Command[]): readonly string[] {
  return commands.map((command) => command.kind);
}
