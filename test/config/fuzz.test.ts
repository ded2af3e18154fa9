// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { formatIssues } from '../../src/config/issues.ts';
import { parseConfig } from '../../src/config/load.ts';

const folder = new URL('../../config/', import.meta.url);
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
const full = readFileSync(new URL('full.yaml', folder), 'utf8').replace(/ *#.*/g, '');

/** Whatever the text, an answer; and whatever is wrong, at a place that is in the text. */
function checkAnswer(text: string): void {
  const options = { file: 'fuzz.yaml', env: { A: '1' }, readFile: () => '' };
  const result = parseConfig(text, options);
  if (result.ok) return;
  // A CR alone ends a line too (YAML 1.2, 5.4).
  const lines = text.split(/\n|\r(?!\n)/);
  expect(result.issues.length).toBeGreaterThan(0);
  for (const { line, column, message } of result.issues) {
    const length = lines[line - 1]?.length ?? -1;
    expect(column - 1, `${line}:${column} ${message}`).toBeLessThanOrEqual(length);
    expect(column).toBeGreaterThan(0);
  }
  expect(formatIssues(result.issues)).toContain('fuzz.yaml');
}

const fragments = fc.oneof(
  fc.constantFrom(
    ':',
    '-',
    ' ',
    '\n',
    '\t',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '!x ',
    '|',
    '>',
    '?',
  ),
  fc.constantFrom(
    '${A}',
    '${B}',
    '${',
    '%',
    '\n---\n',
    '...',
    '<<',
    '0',
    '-1',
    '1e999',
    '.inf',
    '.nan',
    'null',
    '~',
    'off',
  ),
  fc.constantFrom(
    'unlimited',
    '30s',
    '[::1]:80',
    'unix:/x',
    'srv:a',
    '\u0000',
    '\ufeff',
    '\r\n',
    '\ud800',
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

const edits = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(12), text: fragments }),
  { minLength: 1, maxLength: 6 },
);

test('parseConfig answers whatever happened to a good file', () => {
  fc.assert(
    fc.property(edits, (list) => {
      const text = list.reduce((before, { at, length, text: inserted }) => {
        const start = Math.floor(at * before.length);
        return before.slice(0, start) + inserted + before.slice(start + length);
      }, full);
      checkAnswer(text);
    }),
    { numRuns: 200 },
  );
});

test('parseConfig answers when any value is any other', () => {
  const places = [...full.matchAll(/: (\S+)$/gm)];
  fc.assert(
    fc.property(fc.nat(places.length - 1), fc.jsonValue({ maxDepth: 3 }), (index, value) => {
      const place = places[index];
      if (place?.[1] === undefined) return;
      const end = place.index + place[0].length;
      checkAnswer(`${full.slice(0, end - place[1].length)}${JSON.stringify(value)}${full.slice(end)}`);
    }),
    { numRuns: 200 },
  );
});

test.each(examples)(
  'parseConfig answers when any item of a list of $name is a number or nothing',
  ({ text }) => {
    const root: unknown = parse(text);
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const part of Object.values(value)) walk(part);
      if (!Array.isArray(value)) return;
      for (const [index, item] of value.entries()) {
        for (const other of [5, null]) {
          value[index] = other;
          checkAnswer(JSON.stringify(root));
        }
        value[index] = item;
      }
    };
    walk(root);
  },
);

test('parseConfig answers any text', () => {
  fc.assert(
    fc.property(
      fc.array(fragments).map((parts) => parts.join('')),
      checkAnswer,
    ),
    { numRuns: 200 },
  );
});
