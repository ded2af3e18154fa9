/** What events cost: how much is looked at for each. */
import { describe, expect, it } from 'vitest';
import { healthWords, type Ledger } from '../../src/core/ledger/ledger.ts';
import type { Plan, PoolPolicy } from '../../src/core/plan.ts';
import { backendPlan, CoreStage, capacity, planOf, poolPlan, sharedLedgers } from './harness.ts';

describe('Core that is told of the health of many backends', () => {
  it.each([
    ['many pools', 50],
    ['one pool', 1],
  ])('looks at each a few times at most, in %s', (_, pools) => {
    const { ledger, words, reads } = watched(pools);
    const stage = new CoreStage(manyBackends(pools), { ledger });
    const before = reads();
    for (const health of ['up', 'down', 'up'] as const) {
      for (let backend = 0; backend < backends; backend++) {
        words[backend] = healthWords.indexOf(health);
        stage.say({ kind: 'health-changed', backend, health });
      }
    }
    expect(reads() - before).toBeLessThan(10 * backends);
  });

  it('still sees that a pool is in panic, and that it no longer is', () => {
    const stage = new CoreStage(planOf(poolPlan(2, { panicThresholdPercent: 60 })));
    stage.turn(0, 'down');
    expect([0, 1, 2, 3].map(() => stage.relay().backend).toSorted()).toEqual([0, 0, 1, 1]);
    stage.turn(0, 'up');
    stage.turn(0, 'up');
    stage.follow(planOf(poolPlan(2, { panicThresholdPercent: 50 })));
    stage.turn(0, 'down');
    expect([0, 1, 2, 3].map(() => stage.relay().backend)).toEqual([1, 1, 1, 1]);
  });

  it('looks at sessions only where some pool closes those of a backend that is down', () => {
    for (const [whenBackendDown, looks] of [
      ['keep', 0],
      ['close', 1],
    ] as const) {
      const stage = new CoreStage(planOf(poolPlan(1, { whenBackendDown })));
      stage.relay();
      expect(stage.turn(0, 'down')).toHaveLength(looks);
    }
  });
});

const backends = 200;

/** Evenly in so many pools. */
function manyBackends(pools: number): Plan {
  const each = backends / pools;
  const policy: Partial<PoolPolicy> = { panicThresholdPercent: 50 };
  return {
    listeners: [],
    pools: Array.from({ length: pools }, (_, pool) => ({
      ...poolPlan(
        Array.from({ length: each }, (_, index) => backendPlan(pool * each + index)),
        policy,
      ),
      slot: pool,
      name: `pool-${pool}`,
    })),
  };
}

/** A ledger that counts how often health words are read. */
function watched(pools: number): { readonly ledger: Ledger; readonly words: Int32Array; reads(): number } {
  const [ledger] = sharedLedgers(1, { ...capacity, workers: 1, pools });
  if (ledger === undefined) throw new Error('There is one');
  let reads = 0;
  const words = ledger.health;
  const health = new Proxy(words, {
    get(_, key) {
      reads++;
      return Reflect.get(words, key);
    },
  });
  return { ledger: Object.assign(ledger, { health }), words, reads: () => reads };
}
