import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedLedgers } from '../harness.ts';

describe('SharedCounts', () => {
  it('counts what every worker took', () => {
    const [one, other] = views();
    expect(one.tryTake(3, 10)).toBe(true);
    expect(other.tryTake(3, 10)).toBe(true);
    expect([one.total(3), other.total(3), one.total(2)]).toEqual([2, 2, 0]);
  });

  it('refuses what is over the limit, whichever worker asks', () => {
    const [one, other] = views();
    expect([one.tryTake(0, 2), other.tryTake(0, 2), one.tryTake(0, 2), other.tryTake(0, 2)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    other.release(0);
    expect([one.tryTake(0, 2), other.tryTake(0, 2)]).toEqual([true, false]);
  });

  it('lets any number through where there is no limit, and none where it is 0', () => {
    const [one] = views();
    expect(one.tryTake(0, Number.POSITIVE_INFINITY)).toBe(true);
    expect(one.tryTake(1, 0)).toBe(false);
  });

  it('gives back what a dead worker held and nothing of the others', () => {
    const [one, other] = views();
    for (let taken = 0; taken < 3; taken++) one.tryTake(0, 10);
    other.tryTake(0, 10);
    other.tryTake(1, 10);
    one.release(0);
    other.releaseAllOf(0);
    expect([other.total(0), other.total(1)]).toEqual([1, 1]);
    other.releaseAllOf(0);
    expect(other.total(0)).toBe(1);
    other.releaseAllOf(1);
    expect([one.total(0), one.total(1)]).toEqual([0, 0]);
  });

  it('clears a slot with the shares of all workers, so that a death takes nothing from its next owner', () => {
    const [one, other] = views();
    one.tryTake(0, 10);
    other.clear(0);
    other.tryTake(0, 10);
    other.releaseAllOf(0);
    expect(other.total(0)).toBe(1);
  });

  it('never exceeds a limit, and is the sum of what its workers hold', () => {
    const step = fc.record({
      worker: fc.nat(2),
      slot: fc.nat(1),
      limit: fc.nat(4),
      act: fc.constantFrom('take', 'take', 'release', 'die'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const counts = sharedLedgers(3).map((ledger) => ledger.poolActive);
        const held = counts.map(() => [0, 0]);
        const total = (slot: number) => held.reduce((sum, each) => sum + (each[slot] ?? 0), 0);
        for (const { worker, slot, limit, act } of steps) {
          const mine = held[worker] ?? [];
          if (act === 'take') {
            const room = total(slot) < limit;
            expect(counts[worker]?.tryTake(slot, limit)).toBe(room);
            if (room) mine[slot] = (mine[slot] ?? 0) + 1;
          } else if (act === 'release' && (mine[slot] ?? 0) > 0) {
            counts[worker]?.release(slot);
            mine[slot] = (mine[slot] ?? 0) - 1;
          } else if (act === 'die') {
            counts[(worker + 1) % 3]?.releaseAllOf(worker);
            mine.fill(0);
          }
          for (const view of counts) expect([view.total(0), view.total(1)]).toEqual([total(0), total(1)]);
        }
      }),
    );
  });
});

function views() {
  const [one, other] = sharedLedgers(2);
  if (one === undefined || other === undefined) throw new Error('Expected two ledgers');
  return [one.poolActive, other.poolActive] as const;
}
