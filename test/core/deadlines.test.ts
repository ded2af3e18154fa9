import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines, type Due } from '../../src/core/deadlines.ts';

class Item implements Due {
  heapIndex = -1;
}

describe('Deadlines', () => {
  it('gives what is due, the soonest first, and nothing before its time', () => {
    const deadlines = new Deadlines<Item>();
    const [late, soon, later] = [new Item(), new Item(), new Item()];
    deadlines.set(late, 20);
    deadlines.set(soon, 10);
    deadlines.set(later, 30);
    expect(deadlines.nextMs).toBe(10);
    expect(deadlines.takeDue(9)).toBeUndefined();
    expect([deadlines.takeDue(20), deadlines.takeDue(20), deadlines.takeDue(20)]).toEqual([
      soon,
      late,
      undefined,
    ]);
    expect(deadlines.nextMs).toBe(30);
  });

  it('moves an item that is set again, sooner or later', () => {
    const deadlines = new Deadlines<Item>();
    const [one, other] = [new Item(), new Item()];
    deadlines.set(one, 10);
    deadlines.set(other, 20);
    deadlines.set(one, 30);
    expect(deadlines.nextMs).toBe(20);
    deadlines.set(one, 5);
    expect(deadlines.takeDue(100)).toBe(one);
  });

  it('takes Infinity for never', () => {
    const deadlines = new Deadlines<Item>();
    const item = new Item();
    deadlines.set(item, Number.POSITIVE_INFINITY);
    expect(deadlines.nextMs).toBeUndefined();
    deadlines.set(item, 10);
    deadlines.set(item, Number.POSITIVE_INFINITY);
    expect(deadlines.takeDue(Number.MAX_VALUE)).toBeUndefined();
  });

  it('removes an item that is not in it without a word', () => {
    const deadlines = new Deadlines<Item>();
    const [inside, outside] = [new Item(), new Item()];
    deadlines.set(inside, 10);
    deadlines.remove(outside);
    deadlines.remove(inside);
    deadlines.remove(inside);
    expect(deadlines.nextMs).toBeUndefined();
  });

  it('keeps its order where one that is removed makes room for a sooner one from elsewhere', () => {
    const deadlines = new Deadlines<Item>();
    const itemOf = new Map([1, 10, 2, 11, 12, 3, 4].map((dueMs) => [dueMs, new Item()]));
    for (const [dueMs, item] of itemOf) deadlines.set(item, dueMs);
    deadlines.remove(itemOf.get(11) ?? new Item());
    for (const dueMs of [20, 21]) deadlines.set(new Item(), dueMs);
    const order: (number | undefined)[] = [];
    for (let turn = 0; turn < 8; turn++) {
      order.push(deadlines.nextMs);
      deadlines.takeDue(100);
    }
    expect(order).toEqual([1, 2, 3, 4, 10, 12, 20, 21]);
  });

  it('does as a sorted list does', () => {
    const step = fc.oneof(
      fc.record({ act: fc.constant('set' as const), item: fc.nat(19), dueMs: fc.nat(50) }),
      fc.record({ act: fc.constant('remove' as const), item: fc.nat(19) }),
      fc.record({ act: fc.constant('take' as const), nowMs: fc.nat(50) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const items = Array.from({ length: 20 }, () => new Item());
        const deadlines = new Deadlines<Item>();
        const due = new Map<Item, number>();
        const soonestMs = () => Math.min(...due.values());
        for (const step of steps) {
          const item = 'item' in step ? items[step.item] : undefined;
          if (step.act === 'set' && item !== undefined) {
            deadlines.set(item, step.dueMs);
            due.set(item, step.dueMs);
          } else if (step.act === 'remove' && item !== undefined) {
            deadlines.remove(item);
            due.delete(item);
          } else if (step.act === 'take') {
            const taken = deadlines.takeDue(step.nowMs);
            if (taken === undefined) expect(soonestMs()).toBeGreaterThan(step.nowMs);
            else {
              expect(due.get(taken)).toBe(soonestMs());
              expect(soonestMs()).toBeLessThanOrEqual(step.nowMs);
              due.delete(taken);
            }
          }
          expect(deadlines.nextMs ?? Number.POSITIVE_INFINITY).toBe(soonestMs());
        }
      }),
    );
  });
});
