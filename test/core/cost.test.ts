/** What events cost: how much is looked at for each. */
import { describe, expect, it } from 'vitest';
import { createCore } from '../../src/core/core.ts';
import { healthWords, type Ledger } from '../../src/core/ledger/ledger.ts';
import { Links } from '../../src/core/links.ts';
import type { Plan, PoolPolicy } from '../../src/core/plan.ts';
import type { Session } from '../../src/core/session.ts';
import {
  backendPlan,
  CoreStage,
  capacity,
  endpoint,
  freshLedger,
  planOf,
  poolPlan,
  sharedLedgers,
} from './harness.ts';

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

describe('Core that is short of memory or descriptors', () => {
  it.each(['memory', 'descriptors'] as const)(
    'looks at no links of sessions that are served, for %s',
    (what) => {
      const links = new CountedLinks();
      const none = () => 0;
      const activity = { lastByteMs: none, waitingBytes: none, sentBytes: none, localEndpoint: () => peer };
      const core = createCore({ ledger: freshLedger(), worker: 0, activity, random: none }, links);
      core.handle({ kind: 'plan', plan: planOf(poolPlan(1)) }, 1_000);
      core.handle({ kind: 'accepted', link: 0, listener: 0, peer }, 1_000);
      core.handle({ kind: 'connected', link: 1 }, 1_000);
      const before = links.looks;
      core.handle({ kind: 'exhausted', what }, 1_000);
      expect(links.looks).toBe(before);
    },
  );
});

const peer = endpoint('192.0.2.1', 40_000);

class CountedLinks extends Links<Session> {
  looks = 0;

  override sessions(): Iterable<Session> {
    this.looks++;
    return super.sessions();
  }
}

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
