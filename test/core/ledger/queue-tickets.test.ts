import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueueTickets, type TicketArea } from '../../../src/core/ledger/queue-tickets.ts';
import { sharedLedgers } from '../harness.ts';

describe('QueueTickets', () => {
  it('numbers those who come on any worker, and each pool by itself', () => {
    const [one, other] = views();
    expect([
      one.draw(0, true, 0).number,
      other.draw(0, true, 0).number,
      one.draw(0, false, 0).number,
      one.draw(1, true, 0).number,
    ]).toEqual([1, 2, 3, 1]);
  });

  it('tells who comes next: the one with nobody of another worker before it', () => {
    const [one, other] = views();
    const [first, second] = [one.draw(0, true, 0).number, other.draw(0, true, 0).number];
    expect([one.before(0, first), other.before(0, second)]).toEqual([0, 1]);
    one.show(0, undefined);
    expect(other.before(0, second)).toBe(0);
  });

  it('tells since when the one waits that has waited longest, on whichever worker', () => {
    const [one, other] = views();
    expect(one.waitingSinceMs(0)).toBeUndefined();
    other.draw(0, true, 2_000);
    one.draw(0, true, 1_000);
    one.draw(0, false, 3_000);
    expect([one.waitingSinceMs(0), other.waitingSinceMs(0), one.waitingSinceMs(1)]).toEqual([
      1_000,
      1_000,
      undefined,
    ]);
    one.show(0, { number: 3, sinceMs: 3_000 });
    expect(one.waitingSinceMs(0)).toBe(2_000);
    one.releaseAllOf(1);
    expect(one.waitingSinceMs(0)).toBe(3_000);
    one.clear(0);
    expect(one.waitingSinceMs(0)).toBeUndefined();
  });

  it('does not hold anybody up for a dead worker', () => {
    const [one, other] = views();
    one.draw(0, true, 0).number;
    const second = other.draw(0, true, 0).number;
    other.releaseAllOf(0);
    expect(other.before(0, second)).toBe(0);
  });

  it('begins anew in a slot that is cleared', () => {
    const [one, other] = views();
    one.draw(0, true, 0).number;
    one.draw(1, true, 0).number;
    other.clear(0);
    expect([other.draw(0, true, 0).number, one.draw(1, false, 0).number]).toEqual([1, 2]);
  });

  it.each([-3, 2 ** 31 - 3])('keeps the order when numbers go round after %d, and never gives 0', (drawn) => {
    const area: TicketArea = {
      drawn: Int32Array.of(drawn),
      shown: [new Int32Array(1), new Int32Array(1)],
      sinceMs: [new Float64Array(1), new Float64Array(1)],
    };
    const one = new QueueTickets(area, 0);
    const other = new QueueTickets(area, 1);
    const first = one.draw(0, true, 0).number;
    const later = Array.from({ length: 5 }, (_, index) => other.draw(0, index === 0, 0).number);
    expect(later).not.toContain(0);
    expect(later.map((ticket) => other.before(0, ticket))).toEqual(
      later.map((ticket) => (ticket - first) | 0),
    );
    expect(one.before(0, first)).toBe(0);
  });

  it('never tells of fewer than stand before, and of none only where there are none', () => {
    const act = fc.record({
      worker: fc.nat(2),
      kind: fc.constantFrom('join', 'join', 'leave'),
      whom: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const tickets = views(3);
        const waiting: number[][] = [[], [], []];
        for (const { worker, kind, whom } of acts) {
          const [own = [], view] = [waiting[worker], tickets[worker]];
          if (kind === 'join') own.push(view?.draw(0, own.length === 0, 0).number ?? 0);
          else if (own.length > 0) {
            own.splice(whom % own.length, 1);
            view?.show(0, own[0] === undefined ? undefined : { number: own[0], sinceMs: 0 });
          }
          waiting.forEach(([first], index) => {
            if (first === undefined) return;
            const truly = waiting.flatMap((theirs, at) =>
              at === index ? [] : theirs.filter((one) => one < first),
            );
            const told = tickets[index]?.before(0, first) ?? 0;
            expect(told).toBeGreaterThanOrEqual(truly.length);
            expect(told === 0).toBe(truly.length === 0);
          });
        }
      }),
    );
  });
});

function views(workers = 2): readonly [QueueTickets, QueueTickets, ...QueueTickets[]] {
  const [one, other, ...more] = sharedLedgers(workers).map(({ queueTickets }) => queueTickets);
  if (one === undefined || other === undefined) throw new Error('Expected two workers');
  return [one, other, ...more];
}
