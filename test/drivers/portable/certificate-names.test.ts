import { describe, expect, it } from 'vitest';
import { NameTable } from '../../../src/drivers/portable/tls/certificate-names.ts';

describe('NameTable', () => {
  const table = new NameTable<string>();
  table.add(['a.example', '*.b.example'], 'one');
  table.add(['a.example', 'x.b.example'], 'other');

  it.each([
    ['a.example', 'one'],
    ['A.Example.', 'one'],
    ['x.b.example', 'other'],
    ['x.b.example.', 'other'],
    ['y.b.example.', 'one'],
  ])('finds %s, in either case and with the dot that may end a full name', (name, value) => {
    expect(table.find(name)).toBe(value);
  });

  it.each(['', '.', 'example', 'b.example', '.b.example', 'x.y.b.example', 'a.example..'])(
    'finds nothing for %j',
    (name) => {
      expect(table.find(name)).toBeUndefined();
    },
  );
});
