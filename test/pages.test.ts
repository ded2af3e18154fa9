/** What the pages say is so: their configurations check clean, links lead somewhere, tables are complete. */
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stepsOf } from '../scripts/docs/page.ts';
import { parseConfig } from '../src/config/load.ts';
import { balances } from '../src/core/balancers/table.ts';
import { reasons } from '../src/core/reasons.ts';
import { selfSigned } from './support/certificate.ts';
import { allPages, pageConfigs, pageText, root, shellLines, tableRows, userPages } from './support/pages.ts';

// What config/make-certs.sh makes.
const [a, b] = [selfSigned('a.example.com'), selfSigned('b.example.com')];
const readFile = (path: string): string => {
  if (!path.startsWith(`${root}config/certs/`)) return readFileSync(path, 'utf8');
  const { cert, key } = /\/b\.\w+$/.test(path) ? b : a;
  return path.endsWith('.key') ? key : cert;
};

describe('configurations in pages', () => {
  it.each(pageConfigs)('%s checks clean', (_, text) => {
    const result = parseConfig(text, { file: `${root}sluice.yaml`, env: {}, readFile });
    expect(result).toMatchObject({ ok: true, warnings: [] });
  });

  it('are in the README and in the pages on configuration, operating and routing', () => {
    const pages = ['README.md', 'docs/configuration.md', 'docs/operating.md', 'docs/routing-and-tls.md'];
    const found = pageConfigs.map(([place]) => place.split(':')[0]);
    expect(found).toEqual(expect.arrayContaining(pages));
  });
});

it.each(allPages)('%s has links that lead somewhere', (page) => {
  const links = [...pageText(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => link ?? []);
  for (const link of links.filter((one) => !/^https?:/.test(one))) {
    const [path = '', heading] = link.split('#');
    const file = path === '' ? page : posix.join(posix.dirname(page), path);
    expect(existsSync(root + file), link).toBe(true);
    if (heading !== undefined) expect(headings(file), link).toContain(heading);
  }
});

it.each(userPages)('%s names files of config/ that are there', (page) => {
  const named = [...pageText(page).matchAll(/\bconfig\/[\w-]+(?:\.\w+)+/g)].map(([file]) => file);
  for (const file of named) expect(existsSync(root + file), file).toBe(true);
});

it('The README has the command of the demo that package.json has', () => {
  expect(shellLines('README.md')).toContain('npm ci && npm start');
});

it.each(userPages)('%s goes on in a second terminal behind a command that keeps the first one', (page) => {
  const blocks = stepsOf(pageText(page)).filter((step) => step.kind === 'block');
  // No block behind it would run.
  const keepsOn = /(?:^|&& )(?:npm start|sluice (?:run|forward|demo|top))\b[^&|\n]*$/;
  for (const { code, keepsTerminal } of blocks)
    expect(keepsTerminal, code).toBe(keepsOn.test(code.trimEnd()));
});

/** As GitHub makes anchors of them. */
function headings(page: string): readonly string[] {
  return [...pageText(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs/configuration.md', () => {
  const documented = documentedKeys();
  const schema: SchemaPart = JSON.parse(readFileSync(`${root}config/sluice.schema.json`, 'utf8'));
  const known = schemaKeys(schema, '');

  it('has every key of the schema, with its default', () => {
    const wrong = [...known].filter(([key, cell]) => !(documented.get(key) ?? '').startsWith(cell));
    expect(wrong).toEqual([]);
  });

  it('says how each way to balance chooses', () => {
    const rows = tableRows(pageText('docs/configuration.md'), '| `balance` | chooses |');
    expect(rows.map(([name]) => name).sort()).toEqual(balances.map((name) => `\`${name}\``).sort());
  });

  it('has no key that the schema has not', () => {
    expect([...documented.keys()].filter((key) => !known.has(key))).toEqual([]);
  });
});

/** Each key in a table of keys as a path, with the cell of its default. */
function documentedKeys(): ReadonlyMap<string, string> {
  const areas = pageText('docs/configuration.md').matchAll(
    /^Keys (?:of `([\w.]+)`|at the top level):\n\n\| key .*\n\| --- .*\n((?:\|.*\n)+)/gm,
  );
  const found = new Map<string, string>();
  for (const [, area, rows = ''] of areas) {
    for (const [, keys = '', fallback = ''] of rows.matchAll(/^\| (.+?) \| (.+?) \|/gm)) {
      for (const [, key = ''] of keys.matchAll(/`([\w.]+)`/g)) {
        found.set(area === undefined ? key : `${area}.${key}`, fallback);
      }
    }
  }
  return found;
}

/** The keywords of a JSON Schema that lead on, and that say what a key is without. */
interface SchemaPart {
  readonly type?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly patternProperties?: Readonly<Record<string, SchemaPart>>;
  readonly anyOf?: readonly SchemaPart[];
  readonly items?: SchemaPart;
}

/** Every key as a path, with how the page writes its default. */
function schemaKeys(part: SchemaPart, path: string): ReadonlyMap<string, string> {
  const { properties = {}, patternProperties = {}, required = [], anyOf = [], items } = part;
  const found = new Map<string, string>();
  const add = (more: Iterable<readonly [string, string]>): void => {
    for (const [key, cell] of more) found.set(key, cell);
  };
  for (const [key, value] of Object.entries(properties)) {
    const whole = path === '' ? key : `${path}.${key}`;
    found.set(whole, required.includes(key) && !isSection(value) ? 'required' : defaultCell(value));
    // Its keys are those of connect.tls, and its defaults what that says.
    if (whole !== 'pools.NAME.healthCheck.tls') add(schemaKeys(value, whole));
  }
  for (const [name, value] of Object.entries(patternProperties)) {
    if (name !== '^x-' && !path.endsWith('.split')) add(schemaKeys(value, `${path}.NAME`));
  }
  for (const one of items === undefined ? anyOf : [items]) add(schemaKeys(one, path));
  return found;
}

/** A mapping, whose keys have the defaults; the page need not speak of it itself. */
function isSection({ type, properties, patternProperties }: SchemaPart): boolean {
  return type === 'object' && (properties !== undefined || patternProperties !== undefined);
}

function defaultCell(value: SchemaPart): string {
  const { anyOf = [] } = value;
  if (value.default === undefined) return [value, ...anyOf].some(isSection) ? '' : '–';
  return `\`${Array.isArray(value.default) ? `[${value.default}]` : value.default}\``;
}

it('docs/operating.md says what each reason means, in the order of the code', () => {
  const rows = tableRows(pageText('docs/operating.md'), '| reason | meaning |');
  expect(rows.map(([reason]) => reason)).toEqual(reasons.map((reason) => `\`${reason}\``));
});
