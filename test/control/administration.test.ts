import { describe, expect, it } from 'vitest';
import { defaultBackend } from '../../src/config/options/backends.ts';
import { defaultPoolPolicy } from '../../src/config/options/pool.ts';
import { revisionOf, StaleRevision, UnknownName } from '../../src/control/administered.ts';
import { Administration } from '../../src/control/administration.ts';
import type { Hold, Mark } from '../../src/control/overrides.ts';
import type { ExpandedPool } from '../../src/control/planner.ts';

const hold: Hold = { then: 'resume', sessions: 'keep', timeoutMs: 30_000 };
const mark: Mark = { sinceMs: 1_000, untilMs: 61_000, by: 'ci', reason: 'upgrade' };

function pool(name: string): ExpandedPool {
  const backend = { ...defaultBackend, name: 'a:1', address: { host: '10.0.0.1', port: 1 } };
  return {
    ...{ name, policy: defaultPoolPolicy, healthCheck: undefined, agentCheck: undefined },
    backends: [{ ...backend, state: 'ready', hostName: undefined, configuredAs: 'a:1' }],
  };
}

function administering(...names: readonly string[]) {
  const administration = new Administration();
  const follow = (nowMs = 0, pools = names) => {
    const { pools: planned, commit } = administration.over(pools.map(pool), ['web', 'api'], nowMs);
    return { dropped: commit(), holds: planned.map((one) => one.hold) };
  };
  follow();
  return { administration, follow };
}

describe('Administration of a pool', () => {
  it('has it held until its time is over, and then released', () => {
    const { administration, follow } = administering('app', 'db');
    administration.patchPool('app', { hold }, mark);
    expect(follow().holds).toMatchObject([{ phase: 'held', timeoutMs: 30_000 }, undefined]);
    expect(administration.nextEndMs).toBe(61_000);
    expect(administration.expire(60_999)).toEqual([]);
    expect(administration.expire(61_000)).toMatchObject([{ pool: 'app', field: 'hold' }]);
    expect(follow().holds).toMatchObject([{ phase: 'releasing', ratePerSecond: Infinity }, undefined]);
    expect(administration.holdOf('app')).toMatchObject({ phase: 'releasing', by: 'ci', reason: 'upgrade' });
  });

  it('has it released until nobody waits, or for as long as anyone may have waited', () => {
    const { administration, follow } = administering('app');
    administration.patchPool('app', { hold }, mark);
    administration.patchPool('app', { hold: null, releasePerSecond: 10 }, { ...mark, sinceMs: 5_000 });
    expect(follow().holds).toMatchObject([{ phase: 'releasing', ratePerSecond: 10 }]);
    expect(administration.released(() => true, 34_999)).toEqual([]);
    expect(administration.released(() => true, 35_000)).toEqual(['app']);
    expect(administration.released(() => false, 5_000)).toEqual(['app']);
    administration.endReleases(['app']);
    expect([follow().holds, administration.isReleasing]).toEqual([[undefined], false]);
  });

  it('leaves nobody to be released where the end refuses them', () => {
    const { administration, follow } = administering('app');
    administration.patchPool('app', { hold: { ...hold, then: 'refuse' } }, mark);
    administration.expire(61_000);
    expect(follow().holds).toEqual([undefined]);
  });

  it('has the last hold count, also one that comes during a release', () => {
    const { administration, follow } = administering('app');
    administration.patchPool('app', { hold }, mark);
    administration.patchPool('app', { hold: { ...hold, timeoutMs: 5_000 } }, { ...mark, untilMs: 90_000 });
    expect([follow().holds, administration.nextEndMs]).toMatchObject([[{ timeoutMs: 5_000 }], 90_000]);
    administration.reset(undefined, mark);
    expect(follow().holds).toMatchObject([{ phase: 'releasing' }]);
    administration.patchPool('app', { hold }, mark);
    expect([follow().holds, administration.isReleasing]).toMatchObject([[{ phase: 'held' }], false]);
  });

  it('keeps a hold over a configuration that has lost the pool for a while', () => {
    const { administration, follow } = administering('app');
    administration.patchPool('app', { hold }, mark);
    expect(follow(2_000, ['other'])).toEqual({ dropped: [], holds: [undefined] });
    expect(follow(3_000).holds).toMatchObject([{ phase: 'held' }]);
  });

  it('lets one of two change what both have seen', () => {
    const { administration, follow } = administering('app');
    const seen = revisionOf(administration.pool('app'));
    administration.patchPool('app', { hold }, mark, seen);
    expect(() => administration.patchPool('app', { hold: null }, mark, seen)).toThrow(StaleRevision);
    expect(follow().holds).toMatchObject([{ phase: 'held' }]);
    const name = { pool: 'app', backend: 'a:1' };
    const before = revisionOf(administration.backend(name));
    administration.patch(name, { weight: 2 }, mark, before);
    expect(() => administration.patch(name, { weight: 3 }, mark, before)).toThrow(StaleRevision);
    expect(() => administration.patchPool('ap', { hold }, mark)).toThrow(UnknownName);
  });
});
