import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { configOf } from '../support/configuration.ts';

function parse(text: string) {
  return parseConfig(text, { file: 'sluice.yaml', env: {} });
}

function issuesOf(text: string): readonly string[] {
  const result = parse(text);
  return result.ok
    ? []
    : result.issues.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

function poolOf(text: string, name = 'app') {
  const pool = configOf(parse(text)).pools.find((one) => one.name === name);
  if (pool === undefined) throw new Error('There is no such pool');
  return pool.policy;
}

const listener = 'version: 1\nlisteners: { web: { bind: "127.0.0.1:80", pool: app } }\n';
const pool = (keys: string): string => `pools: { app: { ${keys}, backends: ["127.0.0.1:1"] } }\n`;

test('<<: *anchor adds the keys of a mapping that are not there, before and after it', () => {
  const text = `${listener}x-a: &a { balance: first, slowStart: 3s, whenBackendDown: close }\n`;
  for (const keys of ['<<: *a, balance: random', 'balance: random, <<: *a']) {
    expect(poolOf(text + pool(keys))).toMatchObject({
      balance: 'random',
      slowStartMs: 3_000,
      whenBackendDown: 'close',
    });
  }
});

test('<<: [*a, *b] merges each, and the first wins', () => {
  const text = `${listener}x-all:\n  - &a { balance: first }\n  - &b { balance: random, slowStart: 3s }\n`;
  expect(poolOf(`${text}${pool('<<: [*a, *b]')}`)).toMatchObject({ balance: 'first', slowStartMs: 3_000 });
  expect(poolOf(`${text}${pool('<<: [*b, *a]')}`).balance).toBe('random');
});

test('merges are not deep, but nest', () => {
  const text = `${listener}x-a: &a { connect: { retries: 7, timeout: 1s }, slowStart: 1s }\nx-b: &b { <<: *a, slowStart: 2s }\n`;
  const { connect, slowStartMs } = poolOf(`${text}${pool('<<: *b, connect: { retries: 1 }')}`);
  expect([connect.retries, connect.timeoutMs, slowStartMs]).toEqual([1, 2_000, 2_000]);
});

test('a merge may bring what is required, and whole sections', () => {
  const text = `x-all: &all\n  version: 1\n  listeners: { web: { bind: "127.0.0.1:80", pool: app } }\n<<: *all\n${pool('balance: first')}`;
  expect(poolOf(text).balance).toBe('first');
});

test('an inline mapping and a pool that stands there already may be merged', () => {
  const text = `${listener}pools:\n  app: &app { balance: first, backends: ["127.0.0.1:1"] }\n  b: { <<: *app, <<: {} }\n`;
  expect(issuesOf(text)).toEqual(['5:18 pools.b.<<: Duplicate key "<<"; the first is at line 5']);
  expect(poolOf(text.replace(', <<: {}', ''), 'b').balance).toBe('first');
  expect(poolOf(`${listener}${pool('<<: { balance: first }')}`).balance).toBe('first');
});

test('what is merged is checked, and its mistakes stand where it is written', () => {
  const text = `${listener}x-a: &a\n  blance: first\n  slowStart: soon\n${pool('<<: *a')}`;
  expect(issuesOf(text)).toEqual([
    '4:3 pools.app.blance: Unknown key "blance", did you mean "balance"?',
    '5:14 pools.app.slowStart: Expected a duration such as "30s" or "off", found "soon"',
  ]);
});

test.each([
  ['first', '3:17', 'Expected a mapping to merge, or a list of them'],
  ['', '3:1', 'Expected a mapping to merge, or a list of them'],
  ['[{}, 1]', '3:22', 'Expected a mapping to merge, or a list of them'],
  ['*none', '3:17', 'No anchor &none before this alias'],
])('a merge of %j says what is wrong', (value, place, message) => {
  const [issue] = issuesOf(`${listener}pools: { app: { <<: ${value}, backends: ["127.0.0.1:1"] } }\n`);
  expect(issue).toContain(message);
  expect(issue).toContain(value === '' ? '' : place.split(':')[0]);
});

test('a mapping that merges itself ends with a sentence', () => {
  expect(issuesOf(`${listener}x-a: &a { <<: *a }\n${pool('<<: *a')}`)).toEqual([
    '3:15 pools.app: The alias *a stands inside its own anchor',
  ]);
});

test('merges of merges grow without bound no more than aliases do', () => {
  const keys = (from: number): string =>
    Array.from({ length: 9 }, (_, index) => `k${from}${index}: *l${from - 1}`).join(', ');
  const levels = Array.from({ length: 8 }, (_, index) => `  - &l${index + 1} { ${keys(index + 1)} }\n`);
  const text = `${listener}x-bomb:\n  - &l0 1\n${levels.join('')}${pool('<<: *l8')}`;
  expect(issuesOf(text)[0]).toContain('Aliases stand for more than');
});

test('keys that begin with x- are left alone, whatever is in them', () => {
  const text = `x-a: { b: "\${NOT_SET}", c: [1, 1], c: 2 }\nx-b: *none\n${listener}${pool('balance: first')}`;
  expect(issuesOf(text)).toEqual([]);
  expect(issuesOf(`${listener}${pool('x-a: 1')}`)).toEqual([expect.stringContaining('Unknown key "x-a"')]);
});
