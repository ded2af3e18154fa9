import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/core/contract.ts';
import { CoreStage, endpoint, listenerPlan, listenerPolicy, planOf, poolPlan } from '../harness.ts';

const full = { ...listenerPolicy.limits, maxConnections: 0 };

describe('Core that refuses many clients with FIN', () => {
  it('waits for 128 of them at most, and resets those that have had the most time', () => {
    const stage = new CoreStage(planOf(poolPlan(1), listenerPlan({ refuseWith: 'close', limits: full })));
    const clients = Array.from({ length: 3_000 }, () => stage.connect());
    const resets = clients.flatMap(({ commands }) => commands.filter(isReset)).map(({ link }) => link);
    expect(resets).toEqual(clients.slice(0, 2_872).map(({ session }) => session));
    for (const link of resets) stage.close(link);
    expect(stage.core.activeSessions).toBe(128);
    expect(stage.records.every(({ reason }) => reason === 'listener-full')).toBe(true);
    // Those that are left have their second, and no more is said to those that were reset.
    expect(stage.elapse(999)).toEqual([]);
    expect(stage.elapse(1)).toHaveLength(128);
  });

  it('resets none that has ended meanwhile', () => {
    const stage = new CoreStage(planOf(poolPlan(1), listenerPlan({ refuseWith: 'close', limits: full })));
    for (let client = 0; client < 1_000; client++) {
      const { session, commands } = stage.connect();
      expect(commands).toEqual([{ kind: 'close', link: session, how: 'fin' }]);
      stage.close(session);
    }
  });
});

describe('Core that is out of descriptors', () => {
  it('resets the refused client that is waited for the longest', () => {
    const stage = new CoreStage(planOf(poolPlan(1), listenerPlan({ refuseWith: 'close', limits: full })));
    const [first, second] = [stage.connect(), stage.connect()];
    const resets = () => stage.say({ kind: 'exhausted', what: 'descriptors' });
    expect(resets()).toEqual([{ kind: 'close', link: first.session, how: 'reset' }]);
    expect(resets()).toEqual([{ kind: 'close', link: second.session, how: 'reset' }]);
    expect(resets()).toEqual([]);
  });

  it('gives up the client that has been silent for the longest, and none that was admitted', () => {
    const stage = silent();
    stage.relay();
    const [first, second] = [stage.connect(), stage.connect()].map(({ session }) => session);
    const reset = (link: number | undefined) => [{ kind: 'close', link, how: 'reset' }];
    expect(stage.say({ kind: 'exhausted', what: 'descriptors' })).toEqual(reset(0));
    stage.close(0);
    const detail = 'Out of file descriptors';
    expect(stage.lastRecord).toMatchObject({ reason: 'overloaded', endedBy: 'proxy', detail });
    expect(stage.say({ kind: 'exhausted', what: 'descriptors' })).toEqual(reset(first));
    expect(stage.say({ kind: 'exhausted', what: 'descriptors' })).toEqual(reset(second));
    const relaying = new CoreStage(planOf(poolPlan(1)));
    relaying.relay();
    expect(relaying.say({ kind: 'exhausted', what: 'descriptors' })).toEqual([]);
  });
});

describe('Core whose driver has turned a client away', () => {
  it('counts it as accepted and refused, and reports it, at once', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    const open = stage.relay();
    const peer = endpoint('192.0.2.9', 5_000);
    expect(stage.say({ kind: 'turned-away', listener: 0, peer })).toEqual([]);
    expect(stage.records).toMatchObject([
      {
        listener: 'web',
        client: peer,
        pool: undefined,
        backend: undefined,
        attempts: 0,
        reason: 'overloaded',
        endedBy: 'proxy',
        detail: 'Out of file descriptors',
        isEmpty: false,
      },
    ]);
    const totals = stage.ledger.listenerTotals(0);
    expect([totals.accepted, totals.closed('overloaded')]).toEqual([2, 1]);
    expect(stage.core.activeSessions).toBe(1);
    stage.end(open.session);
    expect(stage.core.activeSessions).toBe(0);
  });

  it('knows nothing of a listener that is gone', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    stage.say({ kind: 'turned-away', listener: 3, peer: endpoint('192.0.2.9', 5_000) });
    expect(stage.records).toEqual([]);
  });
});

describe('Core that is out of memory', () => {
  it('gives up the client that has waited longest of those that hold bytes, and none that is relayed', () => {
    const stage = new CoreStage(planOf(poolPlan(1)));
    stage.relay();
    stage.nowMs += 1;
    const first = stage.connect().session;
    stage.nowMs += 1;
    stage.connect();
    expect(stage.say({ kind: 'exhausted', what: 'memory' })).toEqual([]);
    stage.waitingBytes = 65_536;
    const commands = stage.say({ kind: 'exhausted', what: 'memory' });
    expect(commands).toEqual([
      { kind: 'close', link: stage.backendOf(first), how: 'reset' },
      { kind: 'close', link: first, how: 'reset' },
    ]);
    stage.end(first, 'closed');
    expect(stage.lastRecord?.reason).toBe('overloaded');
  });
});

/** Clients are looked at before they are routed. */
function silent(): CoreStage {
  const plan = planOf(poolPlan(1));
  const when = {
    sni: undefined,
    alpn: undefined,
    protocol: ['http'] as const,
    httpHost: undefined,
    client: undefined,
  };
  return new CoreStage({
    ...plan,
    listeners: plan.listeners.map((listener) => ({ ...listener, routes: [{ when, to: 0 }] })),
  });
}

function isReset(command: Command): command is Extract<Command, { readonly kind: 'close' }> {
  return command.kind === 'close' && command.how === 'reset';
}
