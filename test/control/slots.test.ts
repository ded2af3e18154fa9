import { describe, expect, it } from 'vitest';
import { Slots } from '../../src/control/slots.ts';

describe('Slots', () => {
  const held = new Set<number>();
  const cleared: number[] = [];
  const slots = (capacity: number): Slots => {
    held.clear();
    cleared.length = 0;
    const clear = (slot: number): void => void cleared.push(slot);
    return new Slots('things', capacity, { isHeld: (slot) => held.has(slot), clear });
  };
  const given = (from: Slots, names: readonly string[]): Record<string, number> => {
    const { slots: found, commit } = from.assign(names);
    commit();
    return Object.fromEntries(found);
  };

  it('keeps what names have, and what those have that are gone while there is room', () => {
    const four = slots(4);
    expect(given(four, ['a', 'b'])).toEqual({ a: 0, b: 1 });
    expect(given(four, ['b', 'c'])).toEqual({ b: 1, c: 2 });
    expect(given(four, ['c', 'a', 'd'])).toEqual({ a: 0, c: 2, d: 3 });
    expect(cleared).toEqual([]);
  });

  it('gives away, cleared, what went first and nobody holds', () => {
    const three = slots(3);
    given(three, ['a', 'b', 'c']);
    given(three, ['b', 'c']);
    given(three, ['c']);
    held.add(0);
    expect(given(three, ['c', 'd'])).toEqual({ c: 2, d: 1 });
    expect(cleared).toEqual([1]);
    expect(() => three.assign(['c', 'd', 'e'])).toThrow('Expected at most 3 things');
    held.clear();
    expect(given(three, ['c', 'd', 'e'])).toEqual({ c: 2, d: 1, e: 0 });
  });

  it('changes nothing before it is told to', () => {
    const two = slots(2);
    given(two, ['a', 'b']);
    given(two, ['b']);
    expect(Object.fromEntries(two.assign(['b', 'c']).slots)).toEqual({ b: 1, c: 0 });
    expect(cleared).toEqual([]);
    expect(given(two, ['a', 'b'])).toEqual({ a: 0, b: 1 });
  });

  it('takes a name that is given twice for one', () => {
    expect(given(slots(2), ['a', 'a', 'b'])).toEqual({ a: 0, b: 1 });
  });
});
