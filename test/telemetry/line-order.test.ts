import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LineOrder, unsentSinceMs } from '../../src/telemetry/line-order.ts';
import { batchMs } from '../../src/telemetry/lines.ts';
import { freshLedger } from '../core/harness.ts';

const startMs = Date.parse('2026-01-02T03:04:05.000Z');
/** No line is written later, unless the process is busy. */
const latestMs = 100;

beforeEach(() => {
  vi.useFakeTimers({ now: startMs });
});
afterEach(() => {
  vi.useRealTimers();
});

function stage() {
  const written: { readonly id: number; readonly atMs: number }[] = [];
  const unsent = { sinceMs: Number.POSITIVE_INFINITY };
  const order = new LineOrder(
    (lines) => {
      for (const line of lines.trimEnd().split('\n'))
        written.push({ id: JSON.parse(line).id, atMs: Date.now() - startMs });
    },
    () => unsent.sinceMs,
  );
  return { order, unsent, written, ids: () => written.map(({ id }) => id) };
}

function line(id: number, ms: number): string {
  return `{"level":"info","time":"${new Date(startMs + ms).toISOString()}","id":${id}}\n`;
}

describe('LineOrder', () => {
  it('writes what a worker sends late before what came later', () => {
    const { order, ids } = stage();
    vi.advanceTimersByTime(30);
    order.add(line(3, 30));
    vi.advanceTimersByTime(batchMs - 20);
    order.add(line(1, 10) + line(2, 20) + line(4, 45));
    vi.advanceTimersByTime(latestMs);
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  it('keeps the order in which lines of one time came', () => {
    const { order, ids } = stage();
    order.add(line(1, 0) + line(2, 0));
    order.add(line(3, 0));
    vi.advanceTimersByTime(latestMs);
    expect(ids()).toEqual([1, 2, 3]);
  });

  it('writes each line within its bound and in order, whenever batches come', () => {
    const { order, written, unsent } = stage();
    const worker: number[] = [];
    for (let ms = 0; ms < 1_000; ms += 7) {
      vi.advanceTimersByTime(7);
      const nowMs = Date.now() - startMs;
      if (ms % 3 === 0) order.add(line(nowMs, nowMs));
      else worker.push(nowMs);
      if (worker[0] !== undefined && nowMs - worker[0] >= batchMs)
        order.add(
          worker
            .splice(0)
            .map((at) => line(at, at))
            .join(''),
        );
      unsent.sinceMs = worker[0] === undefined ? Number.POSITIVE_INFINITY : startMs + worker[0];
    }
    order.add(worker.map((at) => line(at, at)).join(''));
    unsent.sinceMs = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(2 * latestMs);
    const ids = written.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids).toHaveLength(143);
    for (const { id, atMs } of written) expect(atMs - id).toBeLessThanOrEqual(latestMs);
  });

  it('waits for a worker that is busy, but not for ever', () => {
    const { order, unsent, ids } = stage();
    unsent.sinceMs = startMs + 5;
    order.add(line(1, 5) + line(3, 6));
    vi.advanceTimersByTime(5 * latestMs);
    expect(ids()).toEqual([1]);
    order.add(line(2, 5));
    unsent.sinceMs = startMs + 300;
    vi.advanceTimersByTime(latestMs);
    expect(ids()).toEqual([1, 2, 3]);
    order.add(line(4, 600));
    vi.advanceTimersByTime(3_000);
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  it('writes all at once when it is told to', () => {
    const { order, ids } = stage();
    order.add(line(2, 5));
    order.add(line(1, 1));
    order.flush();
    expect(ids()).toEqual([1, 2]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('holds up nothing when the clock is set back', () => {
    const { order, ids } = stage();
    order.add(line(1, 0));
    vi.setSystemTime(startMs - 3_600_000);
    order.add(line(2, -3_600_000));
    vi.advanceTimersByTime(2 * latestMs);
    expect(ids().toSorted()).toEqual([1, 2]);
  });

  it('takes lines without a time', () => {
    const { order, ids } = stage();
    order.add('{"id":7}\n');
    vi.advanceTimersByTime(latestMs);
    expect(ids()).toEqual([7]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('unsentSinceMs', () => {
  it('is the oldest that some worker has, and none once that is dead', () => {
    const ledger = freshLedger('main');
    expect(unsentSinceMs(ledger)).toBe(Number.POSITIVE_INFINITY);
    ledger.unsentLinesMs.set([startMs + 5, startMs]);
    expect(unsentSinceMs(ledger)).toBe(startMs);
    ledger.releaseAllOf(1);
    expect(unsentSinceMs(ledger)).toBe(startMs + 5);
  });
});
