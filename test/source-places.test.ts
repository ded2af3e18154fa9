import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { showSourcePlaces } from '../src/source-places.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const bundled = pathToFileURL(join(folder, 'chunk.js')).href;

beforeAll(() => {
  // The first place of the bundle is the first of the source.
  const map = { version: 3, sources: ['../../src/core/pool.ts'], names: [], mappings: 'AAAA' };
  writeFileSync(join(folder, 'chunk.js.map'), JSON.stringify(map));
});
afterAll(() => rmSync(folder, { recursive: true }));

function failed(stack: string, isWritable: boolean): Error {
  return Object.defineProperty(new Error('x'), 'stack', { value: stack, writable: isWritable });
}

it.each([
  ['an error of this thread', true],
  ['an error of another thread, as Node 22 and later bring it,', false],
])('the stack of %s names places of the source', (_, isWritable) => {
  const error = failed(`Error: x\n    at f (${bundled}:1:1)`, isWritable);
  showSourcePlaces(error);
  expect(error.stack).toBe('Error: x\n    at f (src/core/pool.ts:1:1)');
});

it('a place without a map stays, and so does a stack that cannot be changed', () => {
  const stack = 'Error: x\n    at f (file:///none/such.js:1:1)';
  const error = failed(stack, true);
  showSourcePlaces(error);
  expect(error.stack).toBe(stack);
  const frozen = Object.freeze(failed(`at ${bundled}:1:1`, false));
  showSourcePlaces(frozen);
  expect(frozen.stack).toBe(`at ${bundled}:1:1`);
});
