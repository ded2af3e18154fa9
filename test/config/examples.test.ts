import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/options/config.ts';
import { selfSigned } from '../support/certificate.ts';
import { configOf } from '../support/configuration.ts';

const folder = fileURLToPath(new URL('../../config/', import.meta.url));
const examples = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

// What config/make-certs.sh makes.
const [a, b] = [selfSigned('a.example.com'), selfSigned('b.example.com')];
const readFile = (path: string): string => {
  if (!path.startsWith(`${folder}certs/`)) return readFileSync(path, 'utf8');
  const { cert, key } = /\/b\.\w+$/.test(path) ? b : a;
  return path.endsWith('.key') ? key : cert;
};

test.each(examples)('config/%s checks clean', (name) => {
  const file = `${folder}${name}`;
  const result = parseConfig(readFileSync(file, 'utf8'), { file, env: {}, readFile });
  expect(result).toMatchObject({ ok: true, warnings: [] });
});

test('config/make-certs.sh makes every file that the examples name', () => {
  const script = readFileSync(`${folder}make-certs.sh`, 'utf8');
  const made = [...script.matchAll(/^(?:authority|certificate) (\w+)/gm)].map(([, name]) => name);
  const named = examples.flatMap((name) => [
    ...readFileSync(`${folder}${name}`, 'utf8').matchAll(/^[^#\n]*\bcerts\/(\w+)\.(?:pem|key)/gm),
  ]);
  expect(named.length).toBeGreaterThan(0);
  for (const [, file] of named) expect(made).toContain(file);
});

test.each(examples)('config/%s tells editors its schema, and people what it shows', (name) => {
  const [first, second] = readFileSync(`${folder}${name}`, 'utf8').split('\n');
  expect(first).toBe('# yaml-language-server: $schema=./sluice.schema.json');
  expect(second).toMatch(/^# [A-Z]/);
});

test('config/sluice.schema.json is what `sluice schema` prints', () => {
  const published: unknown = JSON.parse(readFileSync(`${folder}sluice.schema.json`, 'utf8'));
  expect(published).toEqual(JSON.parse(JSON.stringify(configSchema)));
});

test('config/full.yaml changes no default', async () => {
  const minimal = `version: 1
listeners: { web: { bind: "127.0.0.1:8080", pool: app } }
pools:
  app:
    healthCheck: { type: http }
    agentCheck: { port: 9009 }
    backends: ["127.0.0.1:9001", "127.0.0.1:9002"]
admin: {}
`;
  const full = await loadConfig(`${folder}full.yaml`, {});
  expect(configOf(full)).toEqual(configOf(parseConfig(minimal, { file: `${folder}full.yaml`, env: {} })));
});

/** Every key of a part of the schema, as a path; members of named mappings count once. */
function keysOf(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties = {}, patternProperties = {}, anyOf = [], items } = node as SchemaPart;
  return [
    ...Object.entries(properties).flatMap(([key, value]) => [key, ...keysOf(value)]),
    ...[...Object.values(patternProperties), ...anyOf, items].flatMap(keysOf),
  ];
}

/** The keywords of a JSON Schema that lead on; each may be missing. */
interface SchemaPart {
  readonly properties?: object;
  readonly patternProperties?: object;
  readonly anyOf?: readonly unknown[];
  readonly items?: unknown;
}

test('config/full.yaml speaks of every key', () => {
  const text = readFileSync(`${folder}full.yaml`, 'utf8');
  const missing = keysOf(configSchema).filter((key) => !new RegExp(`\\b${key}\\b`).test(text));
  expect(missing).toEqual([]);
});

test('every key of the schema has a description', () => {
  const undescribed = (node: unknown, path: string): readonly string[] => {
    if (typeof node !== 'object' || node === null) return [];
    const { properties = {}, patternProperties = {}, anyOf = [] } = node as SchemaPart;
    const children = [...Object.entries(properties), ...Object.entries(patternProperties)];
    return [
      ...children.flatMap(([key, value]) => ('description' in value ? [] : [`${path}.${key}`])),
      ...children.flatMap(([key, value]) => undescribed(value, `${path}.${key}`)),
      ...anyOf.flatMap((form) => undescribed(form, path)),
    ];
  };
  expect(undescribed(configSchema, '')).toEqual([]);
});
