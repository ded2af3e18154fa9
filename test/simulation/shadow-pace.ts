/** That after a hold no more go than its rate lets, over all workers: a token bucket of one pool. */
import type { PoolHold } from '../../src/core/plan.ts';
import { isPaced } from './choice.ts';
import type { PoolView } from './shadow-session.ts';
import { must } from './violation.ts';

interface Release {
  readonly hold: PoolHold;
  tokens: number;
  atMs: number;
}

export class ShadowPace {
  readonly #bySlot = new Map<number, Release>();

  /** With one that may go at once. */
  begin(slot: number, hold: PoolHold, nowMs: number): void {
    this.#bySlot.set(slot, { hold, tokens: 1, atMs: nowMs });
  }

  /** A backend is dialed. Workers that have not heard of this release yet are not counted. */
  takes(pool: PoolView, nowMs: number): void {
    const { slot, hold } = pool.plan;
    const release = this.#bySlot.get(slot);
    if (release === undefined || release.hold !== hold || !isPaced(pool)) return;
    const { ratePerSecond } = hold;
    const mostAtOnce = Math.max(1, ratePerSecond / 20);
    const gained = ((nowMs - release.atMs) * ratePerSecond) / 1_000;
    release.tokens = Math.min(mostAtOnce, release.tokens + gained);
    release.atMs = nowMs;
    must(release.tokens > 1 - 1e-6, () => `pool ${slot} is released faster than ${ratePerSecond} a second`);
    release.tokens--;
  }
}
