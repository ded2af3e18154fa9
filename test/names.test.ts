/** One name, one idea over the tree: whoever reads a type's name anywhere knows which one is meant. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../src/', import.meta.url));

it('Each type of src/ has a name of its own', () => {
  const filesByName = new Map<string, string[]>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    for (const [, name = ''] of readFileSync(join(root, file), 'utf8').matchAll(declaration))
      filesByName.set(name, [...(filesByName.get(name) ?? []), file]);
  }
  expect([...filesByName].filter(([, files]) => files.length > 1)).toEqual([]);
});

const declaration = /^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm;
