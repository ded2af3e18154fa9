import { describe, expect, it } from 'vitest';
import { BufferMemory } from '../../../src/drivers/portable/buffer-memory.ts';
import { HeldBytes } from '../../../src/drivers/portable/held-bytes.ts';

function holding(...portions: readonly Buffer[]): HeldBytes {
  const held = new HeldBytes(new BufferMemory(Number.POSITIVE_INFINITY, () => {}));
  for (const portion of portions) held.append(portion);
  return held;
}

const kilobytes = (count: number, fill: string) => Buffer.alloc(count * 1024, fill);

describe('HeldBytes', () => {
  it.each([1, 20, 90])(
    'shows %i KB in memory that parsers are fast with, and gives them away in what can be freed',
    (count) => {
      const portions = [kilobytes(count, 'a'), kilobytes(count, 'b')];
      const held = holding(...portions);
      expect(held.shown.equals(Buffer.concat(portions))).toBe(true);
      expect(held.shown.buffer).not.toHaveProperty('resizable', true);
      const taken = held.take();
      expect(taken.equals(Buffer.concat(portions))).toBe(true);
      expect(taken.buffer).toHaveProperty('resizable', 2 * count >= 16);
    },
  );

  it('shows what is left behind a header', () => {
    const held = holding(kilobytes(20, 'h'), kilobytes(1, 'b'));
    held.drop(20 * 1024);
    expect(held.shown.equals(kilobytes(1, 'b'))).toBe(true);
  });
});
