import { describe, expect, it } from 'vitest';
import { WorkerLag } from '../../../src/control/workers/lag.ts';
import type { Notice } from '../../../src/dataplane/messages.ts';
import { freshLedger } from '../../core/harness.ts';

describe('WorkerLag', () => {
  it('tells nothing before it has asked', () => {
    const { lag } = asked();
    expect(lag.of(0, 5_000)).toBe(0);
  });

  it('tells what the last sign of life took', () => {
    const { lag, answer } = asked();
    lag.ask([0], 1_000);
    answer(0, 1_007);
    expect(lag.of(0, 9_000)).toBe(7);
  });

  it('tells for how long a sign is owed, however often it was asked for', () => {
    const { lag, answer } = asked();
    lag.ask([0], 1_000);
    answer(0, 1_007);
    lag.ask([0], 2_000);
    lag.ask([0], 3_000);
    expect(lag.of(0, 3_500)).toBe(1_500);
    answer(0, 3_600);
    expect(lag.of(0, 9_000)).toBe(600);
  });
});

function asked() {
  const ledger = freshLedger();
  const notices: Notice[] = [];
  const lag = new WorkerLag(ledger, (notice) => notices.push(notice));
  /** As a worker does. */
  const answer = (worker: number, nowMs: number): void => {
    const notice = notices.at(-1);
    if (notice?.kind !== 'sign-of-life') throw new Error('Nothing was asked');
    ledger.lag.tookMs[worker] = nowMs - notice.askedMs;
    ledger.lag.askedMs[worker] = notice.askedMs;
  };
  return { lag, answer };
}
