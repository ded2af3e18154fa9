import { describe, expect, it } from 'vitest';
import { Cursor } from '../../../src/core/wire/cursor.ts';
import { bytesOf } from './feeding.ts';

const over = (text: string) => new Cursor(bytesOf(text), 0, text.length);

describe('Cursor', () => {
  it('reads numbers and stretches in turn, and is finished at its end', () => {
    const cursor = over('\x07\x01\x02abcd');
    expect(cursor.uint8()).toBe(7);
    expect(cursor.uint16()).toBe(258);
    const stretch = cursor.slice(2);
    expect(stretch.text()).toBe('ab');
    expect(stretch.finished).toBe(true);
    expect([cursor.hasMore, cursor.finished]).toEqual([true, false]);
    cursor.skip(2);
    expect([cursor.hasMore, cursor.finished]).toEqual([false, true]);
  });

  it('sees nothing beyond its stretch', () => {
    const cursor = new Cursor(bytesOf('abcd'), 1, 3);
    const stretch = cursor.slice(1);
    expect([stretch.uint8(), stretch.uint8(), stretch.uint16()]).toEqual([0x62, 0, 0]);
    expect(cursor.uint16()).toBe(0x6300);
    expect(cursor.finished).toBe(false);
    expect(new Cursor(bytesOf('abcd'), 1, 3).slice(3).text()).toBe('bc');
  });

  it.each<[string, (cursor: Cursor) => unknown]>([
    ['a number', (cursor) => cursor.uint16() && cursor.uint16()],
    ['a skip', (cursor) => cursor.skip(4)],
    ['a stretch', (cursor) => cursor.slice(4)],
  ])('fails for good at %s that goes past the end', (_, read) => {
    const cursor = over('abc');
    read(cursor);
    expect([cursor.uint8(), cursor.uint16(), cursor.text()]).toEqual([0, 0, '']);
    expect([cursor.hasMore, cursor.finished]).toEqual([false, false]);
  });
});
