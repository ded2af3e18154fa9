/** Imports point one way through the house, as ARCHITECTURE.md draws it, and never in a circle; types count too. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../src/', import.meta.url));

/** From what decides to what is run: a room imports from those before it alone. */
const rooms = [
  ['dashboard'],
  ['version.ts', 'beside.ts', 'source-places.ts'],
  ['core'],
  ['drivers'],
  ['config'],
  ['telemetry'],
  ['dataplane'],
  ['control'],
  ['admin'],
  ['service.ts'],
  ['cli'],
  ['main.ts', 'index.ts'],
];

const imports = new Map<string, readonly string[]>(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, importsOf(file)]),
);

it('Imports never run up', () => {
  const wrong = [...imports].flatMap(([file, targets]) =>
    targets.filter((target) => !mayImport(file, target)).map((target) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

it('Imports never run in a circle', () => {
  expect(circles()).toEqual([]);
});

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?'(\.[^']+)'/gm)].map(([, path = '']) =>
    relative(root, join(root, dirname(file), path)),
  );
}

function mayImport(file: string, target: string): boolean {
  const [from, to] = [file, target].map((path) => path.split('/', 1)[0] ?? '');
  return from === to || heightOf(to ?? '') < heightOf(from ?? '');
}

function heightOf(room: string): number {
  const height = rooms.findIndex((names) => names.includes(room));
  if (height < 0) throw new Error(`src/${room} has no place in the house: see ARCHITECTURE.md`);
  return height;
}

/** Each circle once, as the chain of files that closes it. */
function circles(): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) found.push([...way.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}
