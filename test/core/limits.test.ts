import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import { admit, ListenerPermit } from '../../src/core/limits.ts';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import type { ListenerLimits } from '../../src/core/plan.ts';
import { freshLedger, listenerPolicy, sharedLedgers } from './harness.ts';

const noLimits = listenerPolicy.limits;
const one = '192.0.2.1';
const other = '192.0.2.2';

describe('admit', () => {
  it('lets anyone in where nothing is limited, and counts them', () => {
    const ledger = freshLedger();
    const permits = Array.from({ length: 100 }, () => admitted(ledger, noLimits));
    expect(ledger.listenerActive.total(0)).toBe(100);
    for (const permit of permits) permit.release(ledger);
    expect(ledger.listenerActive.total(0)).toBe(0);
  });

  it('refuses the one over maxConnections and lets the next in when one has gone', () => {
    const ledger = freshLedger();
    const limits = { ...noLimits, maxConnections: 2 };
    const first = admitted(ledger, limits);
    admitted(ledger, limits);
    expect(ask(ledger, limits)).toBe('listener-full');
    first.release(ledger);
    expect(ask(ledger, limits)).toBeInstanceOf(ListenerPermit);
    expect(ask(ledger, limits)).toBe('listener-full');
  });

  it('limits the rate of a listener over all workers', () => {
    const [here, there] = sharedLedgers(2);
    if (here === undefined || there === undefined) throw new Error('Expected two ledgers');
    const limits = { ...noLimits, connectionsPerSecond: 1, burst: 2 };
    expect(ask(here, limits)).toBeInstanceOf(ListenerPermit);
    expect(ask(there, limits)).toBeInstanceOf(ListenerPermit);
    expect([ask(here, limits), ask(there, limits)]).toEqual(['rate-limited', 'rate-limited']);
    expect(ask(there, limits, one, 2_000)).toBeInstanceOf(ListenerPermit);
  });

  it('counts the connections of a client that has no limits, also towards limits that a reload brings', () => {
    const ledger = freshLedger();
    const before = [admitted(ledger, noLimits, one), admitted(ledger, noLimits, one)];
    const limits = perClient({ maxConnections: 2 });
    expect(ask(ledger, limits, one)).toBe('client-full');
    for (const permit of before) permit.release(ledger);
    expect(ask(ledger, limits, one)).toBeInstanceOf(ListenerPermit);
  });

  it('limits each client by itself', () => {
    const ledger = freshLedger();
    const limits = perClient({ maxConnections: 1 });
    const first = admitted(ledger, limits, one);
    expect(ask(ledger, limits, one)).toBe('client-full');
    expect(ask(ledger, limits, other)).toBeInstanceOf(ListenerPermit);
    first.release(ledger);
    expect(ask(ledger, limits, one)).toBeInstanceOf(ListenerPermit);
  });

  it('limits the rate of each client by itself', () => {
    const ledger = freshLedger();
    const limits = perClient({ connectionsPerSecond: 1, burst: 1 });
    admitted(ledger, limits, one).release(ledger);
    expect(ask(ledger, limits, one)).toBe('rate-limited');
    expect(ask(ledger, limits, other)).toBeInstanceOf(ListenerPermit);
    expect(ask(ledger, limits, one, 2_000)).toBeInstanceOf(ListenerPermit);
  });

  it('knows a client by its address, however it is written', () => {
    const ledger = freshLedger();
    const limits = perClient({ maxConnections: 1 });
    admitted(ledger, limits, '::ffff:192.0.2.1');
    expect(ask(ledger, limits, one)).toBe('client-full');
  });

  it('counts clients without an address as one', () => {
    const ledger = freshLedger();
    const limits = perClient({ maxConnections: 1 });
    admitted(ledger, limits, 'unix');
    expect(ask(ledger, limits, 'unix')).toBe('client-full');
  });

  it('refuses nobody where clients are not limited, however many there are', () => {
    const ledger = freshLedger();
    const { clients } = ledger.capacity;
    for (let client = 0; client < 2 * clients; client++)
      admitted(ledger, noLimits, `10.0.${client >> 8}.${client & 255}`);
    expect(ledger.listenerActive.total(0)).toBe(2 * clients);
  });

  it('refuses nobody for want of a place, and limits those that have one', () => {
    const ledger = freshLedger();
    const limits = perClient({ maxConnections: 1 });
    const clients = Array.from({ length: 256 }, (_, client) => `10.0.0.${client}`);
    const permits = clients.map((client) => admitted(ledger, limits, client));
    expect(ledger.listenerActive.total(0)).toBe(256);
    const again = clients.map((client) => ask(ledger, limits, client));
    expect(again.filter((answer) => answer === 'client-full')).toHaveLength(64);
    for (const permit of [...permits, ...again]) if (permit instanceof ListenerPermit) permit.release(ledger);
    expect(ledger.listenerActive.total(0)).toBe(0);
    admitted(ledger, limits, '10.0.1.0');
    expect(ask(ledger, limits, '10.0.1.0')).toBe('client-full');
  });

  it('knows a client of IPv6 by its network, and one of IPv4 by its address', () => {
    const cases: readonly (readonly [string, string, number, boolean])[] = [
      ['2001:db8::1', '2001:db8::ffff:1', 64, true],
      ['2001:db8::1', '2001:db8:0:1::1', 64, false],
      ['2001:db8::1', '2001:db8:0:1::1', 56, true],
      ['2001:db8::1', '2001:db8::2', 128, false],
      ['2001:db8::1', '2001:db8::2', 127, false],
      ['2001:db8::2', '2001:db8::3', 127, true],
      ['8000::', 'ffff::', 1, true],
      ['7fff::', '8000::', 1, false],
      ['2001:db8:8000::', '2001:db8::', 33, false],
      ['::ffff:192.0.2.1', '::ffff:192.0.2.2', 64, false],
      ['::ffff:192.0.2.1', '192.0.2.1', 1, true],
      ['192.0.2.1', '192.0.2.2', 1, false],
      ['64:ff9b::192.0.2.1', '64:ff9b::192.0.2.2', 64, false],
      ['fe80::1%eth0', 'fe80::2%eth0', 64, false],
    ];
    for (const [first, second, ipv6Prefix, isOne] of cases) {
      const ledger = freshLedger();
      const limits = perClient({ maxConnections: 1, ipv6Prefix });
      admitted(ledger, limits, first);
      const answer = ask(ledger, limits, second);
      expect([first, second, ipv6Prefix, answer === 'client-full']).toEqual([
        first,
        second,
        ipv6Prefix,
        isOne,
      ]);
    }
  });

  it('holds nothing of one that it refuses', () => {
    const ledger = freshLedger();
    const limits = {
      ...noLimits,
      maxConnections: 2,
      perClient: { ...noLimits.perClient, maxConnections: 1 },
    };
    admitted(ledger, limits, one);
    for (let tries = 0; tries < 10; tries++) expect(ask(ledger, limits, one)).toBe('client-full');
    expect(ledger.listenerActive.total(0)).toBe(1);
    admitted(ledger, limits, other);
    for (let tries = 0; tries < 10; tries++) expect(ask(ledger, limits, '192.0.2.3')).toBe('listener-full');
  });

  it('judges the rate before the listener, that before the client, and its rate before its connections', () => {
    const ledger = freshLedger();
    const client = { maxConnections: 1, connectionsPerSecond: 1, burst: 2 };
    const limits = {
      maxConnections: 2,
      connectionsPerSecond: 0.001,
      burst: 6,
      perClient: { ...client, ipv6Prefix: 64 },
    };
    admitted(ledger, limits, one);
    expect(ask(ledger, limits, one)).toBe('client-full');
    expect(ask(ledger, limits, one)).toBe('rate-limited');
    admitted(ledger, limits, other);
    // The client could have been refused for its connections.
    expect(ask(ledger, limits, other)).toBe('listener-full');
    expect(ask(ledger, limits, one)).toBe('listener-full');
    expect(ask(ledger, limits, '192.0.2.3')).toBe('rate-limited');
  });

  it('releases a permit once', () => {
    const ledger = freshLedger();
    const permit = admitted(ledger, noLimits);
    permit.release(ledger);
    expect(() => permit.release(ledger)).toThrow('a permit is released once');
  });

  it('gives the lock back whatever the answer', () => {
    const ledger = freshLedger();
    const limits = {
      ...perClient({ maxConnections: 1, connectionsPerSecond: 1, burst: 2 }),
      connectionsPerSecond: 1,
      burst: 4,
    };
    for (let tries = 0; tries < 6; tries++) {
      ask(ledger, limits);
      expect(new Int32Array(ledger.health.buffer, 0, 1)[0]).toBe(0);
    }
  });
});

function perClient(limits: Partial<ListenerLimits['perClient']>): ListenerLimits {
  return { ...noLimits, perClient: { ...noLimits.perClient, ...limits } };
}

function ask(ledger: Ledger, limits: ListenerLimits, address = one, nowMs = 1_000): ListenerPermit | string {
  const permit = admit(ledger, 0, limits, nowMs);
  if (!(permit instanceof ListenerPermit)) return permit;
  const refusal = permit.admitClient(ledger, limits.perClient, endpoint(address), nowMs);
  if (refusal === undefined) return permit;
  permit.release(ledger);
  return refusal;
}

function admitted(ledger: Ledger, limits: ListenerLimits, address = one): ListenerPermit {
  const answer = ask(ledger, limits, address);
  if (answer instanceof ListenerPermit) return answer;
  throw new Error(`Expected to be let in, but it was ${answer}`);
}

function endpoint(address: string): Endpoint {
  return Endpoint.parse(address, 40_000) ?? Endpoint.unix;
}
