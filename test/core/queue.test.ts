import { describe, expect, it } from 'vitest';
import { SessionQueue } from '../../src/core/queue.ts';
import { freshLedger, sharedLedgers } from './harness.ts';

describe('SessionQueue', () => {
  it('is first in, first out', () => {
    const queue = new SessionQueue<string>(freshLedger(), 0);
    for (const name of ['a', 'b', 'c']) queue.join(name, 9, 0);
    expect([queue.first, queue.members()]).toEqual(['a', ['a', 'b', 'c']]);
    queue.leave('a');
    queue.join('a', 9, 0);
    expect(queue.members()).toEqual(['b', 'c', 'a']);
    queue.leave('c');
    expect(queue.members()).toEqual(['b', 'a']);
  });

  it('takes nobody beyond its size, and the next when one has left', () => {
    const ledger = freshLedger();
    const queue = new SessionQueue<string>(ledger, 2);
    expect([queue.join('a', 2, 0), queue.join('b', 2, 0), queue.join('c', 2, 0)]).toEqual([
      true,
      true,
      false,
    ]);
    queue.leave('a');
    expect(queue.join('d', 2, 0)).toBe(true);
    expect(queue.members()).toEqual(['b', 'd']);
    expect([ledger.poolQueued.total(2), ledger.poolQueued.total(0)]).toEqual([2, 0]);
  });

  it('knows how many of other workers may stand before its first, and no more than do wait', () => {
    const [one, other] = sharedLedgers(2).map((ledger) => new SessionQueue<string>(ledger, 0));
    for (const name of ['a', 'b', 'c', 'd']) one?.join(name, 9, 0);
    other?.join('e', 9, 0);
    expect([one?.beforeFirst, other?.beforeFirst]).toEqual([0, 4]);
    for (const name of ['b', 'c']) one?.leave(name);
    expect(other?.beforeFirst).toBe(2);
    one?.leave('a');
    expect(other?.beforeFirst).toBe(1);
    one?.leave('d');
    expect([other?.beforeFirst, one?.isEmpty, one?.isWaitedIn]).toEqual([0, true, true]);
  });

  it('is bounded over all workers, while each keeps the order of its own', () => {
    const [one, other] = sharedLedgers(2).map((ledger) => new SessionQueue<string>(ledger, 0));
    expect(one?.join('a', 2, 0)).toBe(true);
    expect(other?.join('b', 2, 0)).toBe(true);
    expect([one?.join('c', 2, 0), other?.join('c', 2, 0)]).toEqual([false, false]);
    expect([one?.members(), other?.members()]).toEqual([['a'], ['b']]);
    other?.leave('b');
    expect([one?.isEmpty, other?.isEmpty]).toEqual([false, true]);
    expect(one?.join('c', 2, 0)).toBe(true);
  });

  it('counts one that does not wait as nobody', () => {
    const ledger = freshLedger();
    const queue = new SessionQueue<string>(ledger, 0);
    queue.join('a', 9, 0);
    queue.leave('b');
    queue.leave('a');
    queue.leave('a');
    expect([queue.isEmpty, queue.first, ledger.poolQueued.total(0)]).toEqual([true, undefined, 0]);
  });
});
