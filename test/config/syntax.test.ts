// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';

/** Line 4 has the address, line 5 the pool; the backends begin in line 9. */
const good = `version: 1
listeners:
  web:
    bind: 127.0.0.1:8080
    pool: app
pools:
  app:
    backends:
      - 127.0.0.1:9001
      - 127.0.0.1:9002
`;

/** The issues of a text as `line:column message`. */
function issuesOf(text: string): readonly string[] {
  const result = parseConfig(text, { file: 'sluice.yaml', env: {} });
  return result.ok ? [] : result.issues.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

/** The good text with one thing in it replaced. */
const having = (what: string, instead: string): string => {
  expect(good).toContain(what);
  return good.replace(what, instead);
};

test.each([
  ['an end of lines that is a carriage return', good.replaceAll('\n', '\r')],
  ['one that is a carriage return and a line feed', good.replaceAll('\n', '\r\n')],
  ['a tab behind a colon', having('bind: ', 'bind:\t')],
  ['marks of one document', `---\n${good}...\n`],
])('parseConfig takes %s', (_, text) => expect(issuesOf(text)).toEqual([]));

describe('A mistake of syntax is told where it is to be mended, with what would do', () => {
  test.each([
    [
      'a quote that nothing closes',
      having('127.0.0.1:8080', '"127.0.0.1:8080'),
      '4:11 Expected a second " in the line, as in "127.0.0.1:8080"',
    ],
    [
      'a single quote',
      having('127.0.0.1:8080', "'127.0.0.1:8080 # all"),
      "4:11 Expected a second ' in the line, as in '127.0.0.1:8080'",
    ],
    [
      'a quote that the next one closes',
      having('127.0.0.1:8080\n    pool: app', '"127.0.0.1:8080\n    pool: "app"'),
      '4:11 Expected a second " in the line, as in "127.0.0.1:8080"',
    ],
    [
      'one in a list',
      having('- 127.0.0.1:9001\n      - 127.0.0.1:9002', '- "127.0.0.1:9001\n      - "127.0.0.1:9002"'),
      '9:9 Expected a second " in the line, as in "127.0.0.1:9001"',
    ],
    [
      'a bracket that nothing closes',
      having('127.0.0.1:8080', '[127.0.0.1:8080'),
      '4:11 Expected a ] for this [, found none before the next key or the end',
    ],
    [
      'a brace',
      having('127.0.0.1:9001', '{ address: 127.0.0.1:9001'),
      '9:9 Expected a } for this {, found none before the next key or the end',
    ],
    [
      'the outer of two brackets',
      having('127.0.0.1:8080', '[[a], b'),
      '4:11 Expected a ] for this [, found none before the next key or the end',
    ],

    [
      'a key too far in',
      having('    pool: app', '      pool: app'),
      '5:7 Expected 4 spaces before this, as lines above have, found 6',
    ],
    [
      'a key too far out',
      having('    pool: app', '   pool: app'),
      '5:4 Expected 2 or 4 spaces before this, as lines above have, found 3',
    ],
    [
      'a key below a comment',
      having('    pool: app', '\n# here\n   pool: app'),
      '7:4 Expected 2 or 4 spaces before this, as lines above have, found 3',
    ],
    [
      'an item too far out',
      having('      - 127.0.0.1:9002', '     - 127.0.0.1:9002'),
      '10:6 Expected 6 spaces before this, as lines above have, found 5',
    ],
    [
      'a key of an item',
      having('- 127.0.0.1:9001\n', '- address: 127.0.0.1:9001\n         weight: 2\n'),
      '10:10 Expected 8 spaces before this, as lines above have, found 9',
    ],
    ['a tab', having('    pool', '\tpool'), '5:1 Expected spaces as indentation, found a tab'],
    [
      'a blank from a web page',
      having('    backends', '    \u00a0balance: first\n    backends'),
      '8:5 Expected a space, found the character U+00A0, which looks like one or like nothing',
    ],

    [
      'no blank behind a colon',
      having('pool: app', 'pool:app'),
      '5:5 Expected a blank behind the colon, as in pool: app',
    ],
    [
      'none in the first of some keys',
      having('bind: ', 'bind:'),
      '4:5 Expected a blank behind the colon, as in bind: 127.0.0.1:8080',
    ],
    [
      'an equals sign',
      having('pool: app', 'pool = app'),
      '5:5 Expected a colon and a blank behind the key, as in pool: app',
    ],
    [
      'a line of nginx',
      having('pool: app', 'proxy_pass app; # here'),
      '5:5 Expected a colon and a blank behind the key, as in proxy_pass: app',
    ],
    [
      'a key without its colon',
      having('app:\n', 'app\n'),
      '7:3 Expected a colon and a blank behind the key, as in app:',
    ],
    [
      'a blank too many',
      having('127.0.0.1:8080', '127.0.0.1: 8080'),
      '4:11 Expected one key and its value, found a second ": "; did you mean 127.0.0.1:8080?',
    ],
    [
      'a mapping without its braces',
      having('    backends', '    healthCheck: type: http\n    backends'),
      '8:18 Expected one key and its value, found a second ": "; did you mean { type: http }?',
    ],
    [
      'a character that begins no text',
      having('127.0.0.1:8080', '@web'),
      '4:11 Expected quotes around a text that begins with @, as in "@web"',
    ],
    [
      'a second document',
      `${good}---\n`,
      '11:1 Expected one YAML document, found a second; give it a file of its own, or take out the line ---',
    ],
    [
      'a key that is there',
      `${good}listeners: {}\n`,
      '11:1 Duplicate key "listeners"; the first is at line 2',
    ],
  ])('%s', (_, text, issue) => expect(issuesOf(text)).toEqual([issue]));

  test.each([
    ['a quote', 'token: "secret-word'],
    ['a colon', 'token:secret-word'],
    ['a blank', 'token secret-word'],
    ['a blank in quotes', '"token" secret-word'],
    ['indentation', 'token: secret-word\n    bind: x'],
    ['a second colon', 'token: secret-word: x'],
    ['a reserved character', 'token: @secret-word'],
  ])('and not a word of a secret: %s', (_, line) => {
    const text = `${good}admin:\n  bind: 127.0.0.1:9900\n  ${line}\n`;
    const result = parseConfig(text, { file: 'sluice.yaml', env: {} });
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain('secret-word');
  });
});

describe('The configuration of another program is known as such', () => {
  test.each([
    ['HAProxy', 'global\n  maxconn 100\n\ndefaults\n  mode tcp\n'],
    ['HAProxy', '# one\nlisten web\n\tbind *:8080\n\tserver a 1.2.3.4:80 check\n'],
    ['nginx', 'events {\n  worker_connections 768;\n}\nstream {\n  server { listen 80; proxy_pass a; }\n}\n'],
    ['nginx', 'upstream app {\n  server 1.2.3.4:80; # one\n}\n'],
    ['Traefik', '[entryPoints]\n  [entryPoints.web]\n    address = ":80"\n'],
    ['Traefik', '[tcp.routers]\n  [tcp.routers.a]\n    rule = "HostSNI(`*`)"\n'],
    ['Traefik', 'entryPoints:\n  web:\n    address: ":80"\n'],
    ['Traefik', 'tcp:\n  routers:\n    a: { rule: "HostSNI(`*`)" }\n'],
    ['Envoy', 'static_resources:\n  listeners:\n    - name: web\n'],
    ['Envoy', '{\n  "static_resources": {}\n}\n'],
    ['Caddy', 'example.com {\n\treverse_proxy localhost:9000\n}\n'],
    ['Caddy', '{\n  layer4 {\n  }\n}\n'],
  ])('%s', (program, text) => {
    expect(issuesOf(text)).toEqual([
      `1:1 Expected a configuration of sluice, found one of ${program}; docs/coming-from.md shows how the same is written here`,
    ]);
  });

  test.each([
    ['keys of another at the top', `${good}entryPoints: {}\n`],
    ['names of another', good.replace('  web:', '  global:')],
  ])('but not ours with %s', (_, text) => {
    expect(issuesOf(text).join()).not.toContain('Expected a configuration of sluice');
  });
});

test.each([
  ['a long word', `[\n${'a'.repeat(250_000)}`],
  ['many blanks', `a:${' '.repeat(250_000)}\n b: c: d`],
  ['many blanks in brackets', `[\n${' '.repeat(250_000)}x`],
])('A file that is not valid YAML takes no minutes to tell: %s', (_, text) => {
  expect(issuesOf(text)).not.toEqual([]);
});
