import { describe, expect, it } from 'vitest';
import { Lease } from '../../src/core/lease.ts';
import { type Health, healthWords } from '../../src/core/ledger/ledger.ts';
import type { BackendPlan, PoolPlan, PoolPolicy } from '../../src/core/plan.ts';
import { type NoLease, Pool } from '../../src/core/pool.ts';
import { backendPlan, endpoint, freshLedger, poolPlan, poolPolicy, sharedLedgers } from './harness.ts';

describe('Pool', () => {
  it('takes a lease on the backend that it picks', () => {
    const { place, ledger } = stage(poolPlan(2));
    expect([place(), place(), place()]).toEqual([0, 1, 0]);
    expect([
      ledger.backendActive.total(0),
      ledger.backendActive.total(1),
      ledger.poolActive.total(0),
    ]).toEqual([2, 1, 3]);
  });

  it('takes turns with the pools of other workers', () => {
    const plan = poolPlan([backendPlan(0), backendPlan(1, { weight: 2 })]);
    const pools = sharedLedgers(2).map((ledger) => new Pool(plan, ledger, () => 0.5));
    const taken = [0, 0];
    for (let session = 0; session < 30; session++) {
      // Whichever worker they come to, by any pattern.
      const lease = pools[session % 7 < 3 ? 0 : 1]?.place(endpoint('192.0.2.1', 1), [], 0);
      if (lease instanceof Lease) taken[lease.backend.slot] = (taken[lease.backend.slot] ?? 0) + 1;
    }
    expect(taken).toEqual([10, 20]);
  });

  it('asks backups only when no primary can', () => {
    const { place, turn } = stage(
      poolPlan([backendPlan(0), backendPlan(1, { backup: true }), backendPlan(2)]),
    );
    expect([place(), place(), place(), place()]).toEqual([0, 2, 0, 2]);
    turn(0, 'down');
    expect([place(), place()]).toEqual([2, 2]);
    turn(2, 'down');
    expect([place(), place()]).toEqual([1, 1]);
    turn(2, 'up');
    expect(place()).toBe(2);
  });

  it('asks backups when the primaries are full, or were tried', () => {
    const { place } = stage(
      poolPlan([backendPlan(0, { maxConnections: 1 }), backendPlan(1, { backup: true })]),
    );
    expect(place([0])).toBe(1);
    expect([place(), place()]).toEqual([0, 1]);
  });

  it('asks backups in the order of their ranks, each only when none before can', () => {
    const backups = [backendPlan(1, { backup: true, backupRank: 4 }), backendPlan(2, { backup: true })];
    const last = [
      backendPlan(3, { backup: true, backupRank: 4 }),
      backendPlan(4, { backup: true, backupRank: 9 }),
    ];
    const { place, turn } = stage(poolPlan([backendPlan(0), ...backups, ...last]));
    expect([place(), place()]).toEqual([0, 0]);
    turn(0, 'down');
    expect([place(), place()]).toEqual([2, 2]);
    turn(2, 'down');
    expect(new Set([place(), place()])).toEqual(new Set([1, 3]));
    expect(place([1, 3])).toBe(4);
    turn(2, 'up');
    expect(place()).toBe(2);
  });

  it('leaves out what was tried', () => {
    const { place } = stage(poolPlan(3));
    expect([place([0]), place([0]), place([0, 1]), place([1, 2])]).toEqual([1, 2, 2, 0]);
  });

  it('gives nothing to a drained backend', () => {
    const { place } = stage(poolPlan([backendPlan(0, { weight: 0 }), backendPlan(1)]));
    expect([place(), place(), place()]).toEqual([1, 1, 1]);
  });

  it('counts neither drained backends nor their health for the panic threshold', () => {
    const drained = [2, 3, 4].map((slot) => backendPlan(slot, { state: 'drain' }));
    const policy = { panicThresholdPercent: 50 };
    const { place, turn } = stage(poolPlan([backendPlan(0), backendPlan(1), ...drained], policy));
    turn(0, 'down');
    expect([place(), place()]).toEqual([1, 1]);
    turn(1, 'down');
    expect(new Set([place(), place()])).toEqual(new Set([0, 1]));
  });

  it('spreads by halves and thousandths of a weight', () => {
    const { place } = stage(poolPlan([backendPlan(0), backendPlan(1, { weight: 0.5 })]));
    const taken = Array.from({ length: 30 }, () => place());
    expect(taken.filter((slot) => slot === 1)).toHaveLength(10);
  });

  describe('says why there is none:', () => {
    const full = { maxConnections: 0 };
    const drained = { weight: 0 };

    it('no-backend where none is willing', () => {
      const down = stage(poolPlan(2));
      down.turn(0, 'down');
      down.turn(1, 'down');
      expect(down.place()).toBe('no-backend');
      expect(stage(poolPlan([backendPlan(0, drained)])).place()).toBe('no-backend');
      expect(stage(poolPlan(0)).place()).toBe('no-backend');
      const open = stage(poolPlan(1));
      open.breakOpen(0);
      expect(open.place()).toBe('no-backend');
    });

    it('no-backend where those that are down, open or drained are full besides', () => {
      const { place, turn } = stage(
        poolPlan([backendPlan(0, full), backendPlan(1, { ...drained, ...full })]),
      );
      turn(0, 'down');
      expect(place()).toBe('no-backend');
    });

    it('no-backend where all that were tried are unwilling by now', () => {
      const { place, turn } = stage(poolPlan(1));
      turn(0, 'down');
      expect(place([0])).toBe('no-backend');
    });

    it('pool-full where one was willing but for its limit', () => {
      const { place, turn } = stage(
        poolPlan([backendPlan(0), backendPlan(1, full), backendPlan(2, drained)]),
      );
      turn(0, 'down');
      expect(place()).toBe('pool-full');
    });

    it('pool-full where the pool has reached its own limit', () => {
      const { place, ledger } = stage(poolPlan(2, { limits: { ...poolPolicy.limits, maxConnections: 1 } }));
      expect(place()).toBe(0);
      expect(place()).toBe('pool-full');
      expect([ledger.backendActive.total(0), ledger.backendActive.total(1)]).toEqual([1, 0]);
    });

    it('all-tried where only those could that were tried', () => {
      const { place, turn } = stage(poolPlan([backendPlan(0), backendPlan(1), backendPlan(2, drained)]));
      expect(place([0, 1])).toBe('all-tried');
      turn(1, 'down');
      expect(place([0])).toBe('all-tried');
    });

    it('pool-full where one was not tried and the tried ones are unwilling', () => {
      const { place, turn } = stage(poolPlan([backendPlan(0), backendPlan(1, full)]));
      turn(0, 'down');
      expect(place([0])).toBe('pool-full');
    });
  });

  it('dials a backend once its breaker half-opens', () => {
    const { place, breakOpen, moveOn } = stage(poolPlan(2));
    breakOpen(0);
    expect([place(), place()]).toEqual([1, 1]);
    moveOn(10_000);
    const picks = [place(), place(), place(), place()];
    expect(picks.filter((pick) => pick === 0)).toHaveLength(1);
  });

  describe('in panic', () => {
    it('ignores health while fewer than the threshold are up', () => {
      const { place, turn } = stage(poolPlan(4, { panicThresholdPercent: 50 }));
      turn(0, 'down');
      turn(1, 'down');
      expect([place(), place(), place()]).toEqual([2, 3, 2]);
      turn(2, 'down');
      expect(new Set([place(), place(), place(), place()])).toEqual(new Set([0, 1, 2, 3]));
      turn(2, 'up');
      expect(new Set([place(), place(), place(), place()])).toEqual(new Set([2, 3]));
    });

    it('heeds breakers and limits all the same', () => {
      const backends = [backendPlan(0), backendPlan(1, { maxConnections: 0 }), backendPlan(2)];
      const { place, turn, breakOpen } = stage(poolPlan(backends, { panicThresholdPercent: 100 }));
      for (const slot of [0, 1, 2]) turn(slot, 'down');
      breakOpen(0);
      expect([place(), place(), place()]).toEqual([2, 2, 2]);
    });

    it('is never where the threshold is 0', () => {
      const { place, turn } = stage(poolPlan(1));
      turn(0, 'down');
      expect(place()).toBe('no-backend');
    });

    it('looks at the health that it finds when it is made', () => {
      const ledger = freshLedger();
      ledger.health[0] = healthWords.indexOf('down');
      expect(stage(poolPlan(1, { panicThresholdPercent: 50 }), ledger).place()).toBe(0);
    });
  });

  describe('following a new plan', () => {
    it('goes on where it was if nothing changed', () => {
      const { pool, place } = stage(poolPlan(3));
      expect([place(), place()]).toEqual([0, 1]);
      pool.follow(poolPlan(3));
      expect(place()).toBe(2);
    });

    it('goes on where it was if its backends stay, under the new policy', () => {
      const { pool, place } = stage(poolPlan(3));
      expect([place(), place()]).toEqual([0, 1]);
      const limits: PoolPolicy['limits'] = { ...poolPolicy.limits, maxConnections: 3 };
      pool.follow(poolPlan(3, { limits }));
      expect(pool.policy.limits).toEqual(limits);
      expect([place(), place()]).toEqual([2, 'pool-full']);
    });

    it('judges panic by the new threshold', () => {
      const { pool, place, turn } = stage(poolPlan(2));
      turn(0, 'down');
      turn(1, 'down');
      expect(place()).toBe('no-backend');
      pool.follow(poolPlan(2, { panicThresholdPercent: 10 }));
      expect(place()).toBe(0);
    });

    it.each<[string, PoolPlan]>([
      ['balance', poolPlan(2, { balance: 'first' })],
      ['weight', poolPlan([backendPlan(0), backendPlan(1, { weight: 0 })])],
      ['backends', poolPlan(1)],
      ['a limit', poolPlan([backendPlan(0), backendPlan(1, { maxConnections: 0 })])],
    ])('takes over a change of %s', (_, plan) => {
      const { pool, place } = stage(poolPlan(2));
      pool.follow(plan);
      expect([place(), place(), place()]).toEqual([0, 0, 0]);
    });

    it('takes over a change of breaker', () => {
      const { pool, place, breakOpen } = stage(poolPlan(1));
      breakOpen(0);
      expect(place()).toBe('no-backend');
      pool.follow(poolPlan(1, { circuitBreaker: 'off' }));
      expect(place()).toBe(0);
    });

    it('keeps what was leased before, and the breakers', () => {
      const { pool, place, breakOpen } = stage(
        poolPlan([backendPlan(0, { maxConnections: 1 }), backendPlan(1)]),
      );
      expect(place()).toBe(0);
      breakOpen(1);
      const backends: readonly BackendPlan[] = [
        backendPlan(0, { maxConnections: 1 }),
        backendPlan(1),
        backendPlan(2),
      ];
      pool.follow(poolPlan(backends));
      expect([place(), place()]).toEqual([2, 2]);
    });

    it('has no backend once it is retired', () => {
      const { pool, place } = stage(poolPlan(2));
      pool.retire();
      expect(place()).toBe('no-backend');
    });
  });
});

function stage(plan: PoolPlan, ledger = freshLedger()) {
  const pool = new Pool(plan, ledger, () => 0.5);
  let nowMs = 1_000;
  return {
    pool,
    ledger,
    /** The slot of the backend leased, or why there is none. */
    place(tried: readonly number[] = []): number | NoLease {
      const placed = pool.place(endpoint('192.0.2.1', 1), tried, nowMs);
      return placed instanceof Lease ? placed.backend.slot : placed;
    },
    turn(slot: number, health: Health): void {
      ledger.health[slot] = healthWords.indexOf(health);
      pool.healthChanged();
    },
    breakOpen(slot: number): void {
      const others = plan.backends.map((backend) => backend.slot).filter((other) => other !== slot);
      for (let turn = 0; turn < 5; turn++) {
        const lease = pool.place(endpoint('192.0.2.1', 1), others, nowMs);
        if (!(lease instanceof Lease)) throw new Error(`Expected a lease, but it was ${lease}`);
        lease.settle('failed', nowMs);
        lease.release(nowMs);
      }
    },
    moveOn(ms: number): void {
      nowMs += ms;
    },
  };
}
