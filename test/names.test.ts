/** One name, one idea: a type's name means the same wherever it is read. The dashboard is a program of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../src/', import.meta.url));

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const ofDashboard = sources.filter((file) => file.startsWith('dashboard/'));

it.each([
  ['the proxy', sources.filter((file) => !ofDashboard.includes(file))],
  ['the dashboard', ofDashboard],
])('Each type of %s has a name of its own', (_, files) => {
  const filesByName = new Map<string, string[]>();
  for (const file of files) {
    for (const [, name = ''] of readFileSync(join(root, file), 'utf8').matchAll(declaration))
      filesByName.set(name, [...(filesByName.get(name) ?? []), file]);
  }
  expect([...filesByName].filter(([, files]) => files.length > 1)).toEqual([]);
});

const declaration = /^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm;
