import { describe, expect, it } from 'vitest';
import { busiestClients } from '../../src/core/busiest-clients.ts';
import { backendPlan, CoreStage, listenerPlan, planOf, poolPlan } from './harness.ts';

describe('busiestClients', () => {
  it('gives those with most connections first, of a listener without limits too', () => {
    const stage = new CoreStage(planOf(poolPlan([backendPlan(0)])));
    for (const [host, connections] of Object.entries({ 1: 2, 2: 5, 3: 1 }))
      for (let n = 0; n < connections; n++) stage.connect({ address: `192.0.2.${host}`, port: n });
    expect(busiestClients(stage.ledger, web, 2)).toEqual({
      clients: 3,
      busiest: [
        { client: '192.0.2.2', connections: 5 },
        { client: '192.0.2.1', connections: 2 },
      ],
    });
  });

  it('forgets a client with its last connection, and knows nothing of other listeners', () => {
    const stage = new CoreStage(planOf(poolPlan([backendPlan(0)])));
    const { session } = stage.connect();
    expect(busiestClients(stage.ledger, { ...web, slot: 1 }, 9)).toEqual({ clients: 0, busiest: [] });
    expect(busiestClients(stage.ledger, web, 9).clients).toBe(1);
    stage.dialed(session);
    stage.end(session);
    expect(busiestClients(stage.ledger, web, 9)).toEqual({ clients: 0, busiest: [] });
  });

  it('tells clients apart as limits do: by the network of IPv6, and not at all on a unix socket', () => {
    const { policy } = listenerPlan();
    const limits = { ...policy.limits, perClient: { ...policy.limits.perClient, ipv6Prefix: 64 } };
    const stage = new CoreStage(planOf(poolPlan([backendPlan(0)]), listenerPlan({ limits })));
    for (const address of ['2001:db8::1', '2001:db8::2', 'fe80::1', 'unix', 'unix', 'unix'])
      stage.connect({ address, port: 1 });
    expect(busiestClients(stage.ledger, web, 9)).toEqual({
      clients: 3,
      busiest: [
        { client: 'unix', connections: 3 },
        { client: '2001:db8::/64', connections: 2 },
        { client: 'fe80::1', connections: 1 },
      ],
    });
  });
});

const web = { slot: 0, ipv6Prefix: 64 };
