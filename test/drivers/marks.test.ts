import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const drivers = new URL('../../src/drivers/', import.meta.url);

/**
 * The marks of a link, by name, as they are declared in whichever files: each as a power of two, or as another one
 * shifted. `firstLinkMark` and the like say where the next file's begin, and are no marks themselves.
 */
function marksOf(driver: string): ReadonlyMap<string, number> {
  const files = readdirSync(new URL(`${driver}/`, drivers)).map((name) => `${driver}/${name}`);
  const text = ['relay.ts', ...files.filter((name) => name.endsWith('.ts') && !name.endsWith('/kernel.ts'))]
    .map((name) => readFileSync(new URL(name, drivers), 'utf8'))
    .join('\n');
  const declared = new Map<string, { readonly from: string; readonly by: number }>();
  for (const [, name = '', from = '', by = '0'] of text.matchAll(declaration))
    declared.set(name, { from, by: Number(by) });
  const bitOf = (name: string): number => {
    const { from, by } = declared.get(name) ?? { from: '', by: Number.NaN };
    return from === '1' ? by : bitOf(from) + by;
  };
  const names = [...declared.keys()].filter((name) => !/^first\w+Mark$/.test(name));
  return new Map(names.map((name) => [name, bitOf(name)]));
}

const declaration = /^(?:export )?const (\w+) = (1(?= <<)|first\w+Mark)(?: << (\d+))?;$/gm;

it.each(['uring', 'portable'])('The marks of a link of the %s driver are a bit each, of 32', (driver) => {
  const marks = marksOf(driver);
  expect(marks.keys()).toContain('finReceived');
  expect(marks.keys()).toContain('refused');
  const bits = [...marks.values()];
  expect(new Set(bits).size).toBe(bits.length);
  for (const [name, bit] of marks) expect(bit, name).toBeOneOf(Array.from({ length: 32 }, (_, one) => one));
});
