import { describe, expect, it } from 'vitest';
import { Backend } from '../../src/core/backend.ts';
import { Lease } from '../../src/core/lease.ts';
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import type { BackendPlan, PoolPolicy } from '../../src/core/plan.ts';
import { backendPlan, freshLedger, poolPolicy } from './harness.ts';

const roomy = { slot: 0, maxConnections: Number.POSITIVE_INFINITY };

describe('Lease', () => {
  it('takes a place in the pool and at the backend, and gives both back', () => {
    const { ledger, backend } = stage();
    const lease = taken(backend);
    expect([ledger.poolActive.total(0), ledger.backendActive.total(3), backend.active]).toEqual([1, 1, 1]);
    lease.release(0);
    expect([ledger.poolActive.total(0), ledger.backendActive.total(3)]).toEqual([0, 0]);
  });

  it('is released once', () => {
    const { ledger, backend } = stage();
    const lease = taken(backend);
    lease.release(0);
    expect(() => lease.release(0)).toThrow('a lease is released once');
    expect(ledger.backendActive.total(3)).toBe(0);
  });

  it('takes nothing at all where the pool is full', () => {
    const { ledger, backend } = stage();
    const pool = { slot: 0, maxConnections: 1 };
    expect(Lease.acquire(pool, backend, 0)).toBeInstanceOf(Lease);
    expect(Lease.acquire(pool, backend, 0)).toBe('pool-full');
    expect([ledger.poolActive.total(0), ledger.backendActive.total(3)]).toEqual([1, 1]);
  });

  it('takes nothing at all where the backend is full', () => {
    const { ledger, backend } = stage({ maxConnections: 1 });
    taken(backend);
    expect(Lease.acquire(roomy, backend, 0)).toBe('backend-gone');
    expect([ledger.poolActive.total(0), ledger.backendActive.total(3)]).toEqual([1, 1]);
  });

  it('takes nothing at all where the breaker refuses', () => {
    const { ledger, backend } = stage();
    open(ledger, backend);
    expect(Lease.acquire(roomy, backend, 0)).toBe('backend-gone');
    expect([ledger.poolActive.total(0), ledger.backendActive.total(3)]).toEqual([0, 0]);
  });

  it('tells the breaker how the dial went, once', () => {
    const { ledger, backend } = stage();
    const lease = taken(backend);
    for (let turn = 0; turn < 10; turn++) lease.settle('failed', 0);
    lease.release(0);
    expect(ledger.circuit.failuresInARow[3]).toBe(1);
  });

  it('frees its trial when it is released without an outcome', () => {
    const { ledger, backend } = stage();
    open(ledger, backend);
    const lease = taken(backend, 1e6);
    expect(backend.breaker?.admits(1e6)).toBe(false);
    lease.release(1e6);
    expect(backend.breaker?.admits(1e6)).toBe(true);
    expect(ledger.circuitOf(3)).toBe('half-open');
  });

  it('frees its trial when its outcome is known, and stays held', () => {
    const { ledger, backend } = stage();
    open(ledger, backend);
    const lease = taken(backend, 1e6);
    lease.settle('succeeded', 1e6);
    expect([ledger.circuit.trials.total(3), ledger.backendActive.total(3)]).toEqual([0, 1]);
    expect(ledger.circuitOf(3)).toBe('closed');
  });

  it('does without a breaker where the pool has none', () => {
    const { ledger, backend } = stage({}, { circuitBreaker: 'off' });
    for (let turn = 0; turn < 20; turn++) {
      const lease = taken(backend);
      lease.settle('failed', 0);
      lease.release(0);
    }
    expect(ledger.circuitOf(3)).toBe('closed');
  });
});

function stage(plan: Partial<BackendPlan> = {}, policy: Partial<PoolPolicy> = {}) {
  const ledger = freshLedger();
  return {
    ledger,
    backend: new Backend(backendPlan(3, plan), { ...poolPolicy, ...policy }, ledger, () => 0.5),
  };
}

function taken(backend: Backend, nowMs = 0): Lease {
  const lease = Lease.acquire(roomy, backend, nowMs);
  if (lease instanceof Lease) return lease;
  throw new Error(`Expected a lease, but it was ${lease}`);
}

function open(ledger: Ledger, backend: Backend): void {
  for (let turn = 0; turn < 5; turn++) {
    const lease = taken(backend);
    lease.settle('failed', 0);
    lease.release(0);
  }
  expect(ledger.circuitOf(3)).toBe('open');
}
