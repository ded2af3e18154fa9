import { describe, expect, it } from 'vitest';
import { Closes } from '../../../src/drivers/uring/closes.ts';

function closing() {
  const done: string[] = [];
  const note = (what: string) => (fd: number) => void done.push(`${what} ${fd}`);
  const ring = { closeDescriptor: note('ring') };
  const closes = new Closes(ring, { close: note('now') }, { closes: note('forget') });
  return { closes, done };
}

describe('Closes', () => {
  it('gives the ring what is to be closed, and keeps it noted until then', () => {
    const { closes, done } = closing();
    closes.add(7);
    closes.add(9);
    expect(done).toEqual([]);
    expect(closes.submit()).toBe(true);
    expect(done).toEqual(['forget 7', 'ring 7', 'forget 9', 'ring 9']);
  });

  it('closes each descriptor once, for its number may be given again', () => {
    const { closes, done } = closing();
    closes.add(7);
    closes.submit();
    expect(closes.submit()).toBe(false);
    expect(closes.closeNow()).toBe(false);
    expect(done).toEqual(['forget 7', 'ring 7']);
  });

  it('closes at once where a descriptor is needed', () => {
    const { closes, done } = closing();
    closes.add(7);
    expect(closes.closeNow()).toBe(true);
    expect(closes.submit()).toBe(false);
    expect(done).toEqual(['now 7']);
  });
});
