import { describe, expect, test } from 'vitest';
import { admit, ListenerPermit } from '../../src/core/limits.ts';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import { startAdmin } from './fixture.ts';

describe('GET /api/v1/clients', () => {
  test('gives the clients of a listener with most connections, on all workers', async () => {
    const { ask, source } = await startAdmin();
    const [listener] = source.plan.listeners;
    if (listener === undefined) throw new Error('Expected a listener');
    const { slot, policy } = listener;
    for (const worker of source.workers) {
      for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.2']) {
        worker.countAccepted(slot);
        const permit = admit(worker, slot, policy.limits, 1_000);
        const client = Endpoint.parse(address, 1) ?? Endpoint.unix;
        if (permit instanceof ListenerPermit)
          permit.admitClient(worker, policy.limits.perClient, client, 1_000);
      }
    }
    const { status, body } = await ask('/api/v1/clients?listener=web');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      listener: 'web',
      active: 6,
      limit: 'unlimited',
      clients: 2,
      busiest: [
        { client: '192.0.2.2', connections: 4 },
        { client: '192.0.2.1', connections: 2 },
      ],
    });
    const most = await ask('/api/v1/clients?listener=web&most=1');
    expect(JSON.parse(most.body).busiest).toEqual([{ client: '192.0.2.2', connections: 4 }]);
  });

  test.each([
    ['', 422, 'Expected the name of a listener'],
    ['?listener=web&most=0', 422, 'Expected an integer from 1 to 1000'],
    ['?listener=web&most=many', 422, 'Expected an integer from 1 to 1000'],
    ['?listener=wep', 404, 'did you mean'],
  ])('refuses %s', async (query, expected, message) => {
    const { ask } = await startAdmin();
    const { status, body } = await ask(`/api/v1/clients${query}`);
    expect([status, body]).toEqual([expected, expect.stringContaining(message)]);
  });
});
