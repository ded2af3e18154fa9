// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { describe, expect, test } from 'vitest';
import { asJson } from '../../src/cli/check/json.ts';
import { formatIssues, type Issue } from '../../src/config/issues.ts';
import { type LoadResult, parseConfig } from '../../src/config/load.ts';
import { secrets } from '../../src/config/options/config.ts';
import { selfSigned } from '../support/certificate.ts';
import { configOf, readFrom } from '../support/configuration.ts';

const good =
  'version: 1\nlisteners: { web: { bind: "127.0.0.1:80", pool: app } }\npools: { app: { backends: ["127.0.0.1:1"] } }\n';
const { cert, key } = selfSigned('a.example');
const files: Readonly<Record<string, string>> = { '/etc/a.pem': `${key}${cert}`, '/etc/a.key': key };

function parse(text: string, env: Record<string, string> = {}): LoadResult {
  return parseConfig(text, { file: '/etc/sluice.yaml', env, readFile: readFrom(files) });
}

function issuesOf(text: string, env?: Record<string, string>): readonly Issue[] {
  const result = parse(text, env);
  return result.ok ? result.warnings : result.issues;
}

const env = { GEHEIM: 'geheim', TOKEN: 'geheim nis' };

test('the schema says what is secret', () => {
  expect([...secrets.keys].sort()).toEqual(['key', 'send', 'token']);
});

// Wherever "geheim" stands, it is a secret or a part of one.
test.each<readonly [string, string]>([
  ['beside another mistake on its line', 'admin: { bind: nowhere, token: geheim }\n'],
  ['beside an unknown key', 'admin: { token: geheim, bnd: "127.0.0.1:9" }\n'],
  ['with an unknown key behind it', 'admin:\n  token: geheim\n  new: 1\n'],
  ['twice', 'admin:\n  token: geheim\n  token: geheim2\n'],
  ['twice in one line', 'admin: { token: geheim, token: geheim }\n'],
  ['as a list', 'admin: { token: [geheim, geheim] }\n'],
  ['as a list over lines', 'admin:\n  token:\n    - geheim\n    - geheim: geheim\n    - [\n'],
  ['as a mapping', 'admin: { token: { geheim: geheim, geheim: 2 } }\n'],
  ['with a space', 'admin: { token: geheim nis }\n'],
  ['with a space, over lines', 'admin:\n  token: >\n    geheim\n    nis\n  bind: 5\n'],
  ['in a folded text with mistakes', 'admin:\n  token: "geheim\n   nis \\q"\n'],
  ['as the name of a variable', 'admin: { token: "${geheim}" }\n'],
  ['as no name of a variable', 'admin: { token: "a${geheim-}" }\n'],
  ['as the rest of a value with a placeholder', 'admin: { token: "geheim${" }\n'],
  ['as a default', 'admin: { token: "${NONE:-geheim nis}" }\n'],
  ['from the environment', 'admin: { token: "${TOKEN}" }\n'],
  ['as an alias of nothing', 'admin: { token: *geheim }\n'],
  ['as a tag', 'admin: { token: !geheim x }\n'],
  ['as a block with a wrong head', 'admin:\n  token: |geheim\n  bind: 5\n'],
  ['behind a character that may not begin a word', 'admin:\n  token: @geheim\n'],
  ['behind a quote that nobody closes', 'admin:\n  token: "geheim\n'],
  ['in brackets that nobody closes', 'admin: { token: geheim\n'],
  ['beside a tab', 'admin:\n\ttoken: geheim\n'],
  ['with a colon', 'admin:\n  token: geheim: geheim\n'],
  ['without a space', 'admin:\n  token:geheim\n'],
  ['without a space, among others', 'admin:\n  bind: ":9"\n  token:geheim\n'],
  ['without a space, in braces', 'admin: { bind: "127.0.0.1:9", token:geheim }\n'],
  ['behind an equals sign', 'admin:\n  token = geheim\n'],
  ['with a comma, in braces', 'admin: { token: a,geheim }\n'],
  ['with a comma and a colon, in braces', 'admin: { token: "a" , geheim: geheim }\n'],
  ['with a colon, on the next line', 'admin:\n  token:\n  geheim: x\n'],
  ['on the next line, of a broken file', 'admin:\n  token:\n  - geheim\n  geheim: x\n'],
  ['mistyped', 'admin: { tokn: geheim }\n'],
  ['mistyped, of a broken file', 'admin: { tokn: geheim\n'],
  ['in a list, beside a mistake', 'admin: { tokens: [{ name: ci, token: geheim, may: reed }] }\n'],
  ['of a list of another form', 'admin:\n  tokens:\n    - geheim\n    - geheim\n'],
  ['of a mapping in place of a list', 'admin: { tokens: { ci: geheim } }\n'],
  ['in place of a list', 'admin: { tokens: geheim }\n'],
  ['in place of a list, beside a mistake', 'admin: { tokens: geheim, bnd: 5 }\n'],
  ['in place of a mapping of a list, beside a mistake', 'admin: { tokens: [geheim], bnd: 5 }\n'],
  ['as a key of a list', 'admin: { tokens: [{ geheim: ci }] }\n'],
  ['as a key of a list, over lines', 'admin:\n  tokens:\n    - geheim: ci\n      may: operate\n'],
  ['as a key beside a name', 'admin: { tokens: [{ name: ci, geheim: operate }] }\n'],
  ['as a key of a list, through an anchor', 'x-t: &t { geheim: ci }\nadmin: { tokens: [*t] }\n'],
  ['for the whole section, beside a mistake', 'x: { y: 1 }\nadmin: geheim\n'],
  ['in the URL of a backend', good.replace('127.0.0.1:1', 'http://me:geheim@127.0.0.1:1/')],
  ['in the query of a URL', 'admin: { bind: "http://127.0.0.1:1/?token=geheim" }\n'],
  ['in a URL beside a mistake', 'x-y: http://me:geheim@127.0.0.1\nadmin: { bnd: "http://me:geheim@h:1" }\n'],
  ['of mappings in place of a list', 'admin:\n  tokens:\n    ci: { is: geheim }\n    board: geheim\n'],
  [
    'of a mapping in place of a list of certificates',
    good.replace('pool:', 'tls: { certificates: { a.pem: geheim } }, pool:'),
  ],
  ['at the wrong place', 'token: geheim\n'],
  ['as a pool', good.replace('pools: {', 'pools: { token: geheim,')],
  ['of another name', 'admin: { password: geheim }\n'],
  ['for the whole section', 'admin: geheim\n'],
  ['for the whole section, as a list', 'admin: [geheim]\n'],
  ['through an anchor', 'x-t: &t geheim nis\nadmin: { token: *t }\n'],
  ['through an anchor beside a mistake', 'log: { level: &t geheim }\nadmin: { token: *t }\n'],
  ['through anchors of anchors', 'log: { level: [&t geheim, &u [*t]] }\nadmin: { token: *u }\n'],
  ['through an alias beside a mistake', 'x-t: &t geheim\nlog: { level: *t }\nadmin: { token: *t }\n'],
  ['through a merge', 'x-a: &a { token: geheim nis }\nadmin: { <<: *a, new: 1 }\n'],
  ['through a list of merges', 'admin: { <<: [{ token: geheim nis }, { new: 1 }] }\n'],
  ['through a merge of a text', 'admin: { <<: geheim, bind: 5, token: 1 }\n'],
  ['in a variable for a duration', 'shutdown: { grace: "${GEHEIM}" }\n'],
  ['in a variable for an address', 'admin: { bind: "${GEHEIM}" }\n'],
  ['in a variable for a backend', good.replace('127.0.0.1:1', '${GEHEIM}')],
  ['in a variable for a number', 'workers: ${GEHEIM}\n'],
  ['in a variable for a file', 'admin: { bind: 5 }\nx: { y: "${GEHEIM}" }\n'],
  [
    'in a variable for an address that is taken',
    good.replace('bind: "127.0.0.1:80"', 'bind: ["unix:/${GEHEIM}", "unix:/${GEHEIM}"]'),
  ],
  [
    'in a variable for an address with a mode',
    good.replace('"127.0.0.1:80"', '{ address: "[fe80::1%${GEHEIM}]:80", mode: "0660" }'),
  ],
  ['in a variable for an address that needs a token', 'admin: { bind: "[fe80::1%${GEHEIM}]:9900" }\n'],
  [
    'as a key file',
    good.replace('pool:', 'tls: { certificates: [{ cert: a.pem, key: "${GEHEIM}" }] }, pool:'),
  ],
  ['to be sent', good.replace('backends', 'healthCheck: { type: tcp, send: geheim }, backends')],
  ['to be sent, mistyped', good.replace('backends', 'healthCheck: { type: tcp, snd: geheim }, backends')],
  ['as a whole check', good.replace('backends', 'healthCheck: geheim, backends')],
])('a secret %s is never shown', (_, part) => {
  const text = part.startsWith('version') ? part : `${good}${part}`;
  const issues = issuesOf(text, env);
  expect(issues.length).toBeGreaterThan(0);
  expect(`${formatIssues(issues)}${JSON.stringify(issues)}`).not.toContain('geheim');
});

test.each([
  ['a network with bits behind its prefix', 'allow: ["${VALUE}"]', '10.66.0.1/8', '10.66'],
  ['a duration that bounds another', 'backoff: { initial: "${VALUE}", max: 1s }', '77s', '77'],
])('a variable is not shown as %s', (_, keys, value, part) => {
  const [listener, pool] = keys.startsWith('allow')
    ? [keys, 'limits: {}']
    : ['limits: {}', `connect: { ${keys} }`];
  const text = good.replace('pool:', `${listener}, pool:`).replace('backends', `${pool}, backends`);
  const issues = issuesOf(text, { VALUE: value });
  expect(issues).toHaveLength(1);
  expect(JSON.stringify(issues)).not.toContain(part);
});

test('a token as a number is not shown', () => {
  expect(JSON.stringify(issuesOf(`${good}admin: { token: 4711 }\n`))).not.toContain('4711');
});

describe('what is no secret is shown', () => {
  test('beside one that stands on another line', () => {
    const issues = issuesOf(`${good}admin:\n  token: geheim\n  bind: 5\n`);
    expect(issues).toMatchObject([
      { line: 6, excerpt: '  bind: 5', message: expect.stringMatching(/found 5;/) },
    ]);
  });

  test('of an unknown key, the key', () => {
    expect(issuesOf(`${good}log: { new: geheim }\n`)).toMatchObject([{ excerpt: 'log: { new' }]);
  });

  test('of a broken file that speaks of none', () => {
    expect(issuesOf('a: b: c\n')).toMatchObject([{ excerpt: 'a: b: c' }]);
  });

  test('of a pool whose name is that of a secret', () => {
    const text = good.replaceAll('app', 'token').replace('127.0.0.1:1', 'nowhere');
    expect(issuesOf(text)).toMatchObject([{ message: expect.stringContaining('found "nowhere"') }]);
  });
});

test.each([
  [
    'in place of its path',
    good.replace('pool:', `tls: { certificates: [{ cert: a.pem, key: ${JSON.stringify(key)} }] }, pool:`),
  ],
  ['in place of the configuration', key],
  ['in place of a list of networks', good.replace('pool:', 'allowFile: a.key, pool:')],
  [
    'from the environment',
    good.replace('pool:', 'tls: { certificates: [{ cert: a.pem, key: "${PEM}" }] }, pool:'),
  ],
])('a private key %s is not shown', (_, text) => {
  const issues = issuesOf(text, { PEM: key });
  expect(issues.length).toBeGreaterThan(0);
  const shown = `${formatIssues(issues)}${JSON.stringify(issues)}`;
  for (const line of key.split('\n').filter((one) => one.length > 20 && !one.startsWith('-----')))
    expect(shown).not.toContain(line.slice(0, 20));
});

test('check --json shows no secret, nor the private key of a combined file', () => {
  const result = parse(
    `${good}admin: { token: geheim }\n`
      .replace(
        'pool: app',
        'pool: app, tls: { certificates: [{ cert: a.pem, key: a.pem }], clientAuth: required, clientCa: a.pem }',
      )
      .replace(
        'backends',
        'connect: { tls: { ca: a.pem, cert: a.pem, key: a.pem } }, healthCheck: { type: send-expect, send: geheim, expect: x, tls: { ca: a.pem } }, backends',
      ),
  );
  const shown = asJson({
    config: configOf(result),
    driver: { module: undefined, why: 'of the test' },
    serving: new Map(),
  });
  expect(shown).not.toContain('geheim');
  expect(shown).not.toContain('PRIVATE KEY');
  expect(shown).toContain('BEGIN CERTIFICATE');
  expect(JSON.parse(shown).admin.tokens).toMatchObject([{ token: '(hidden)' }]);
});
