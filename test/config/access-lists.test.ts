import { describe, expect, test } from 'vitest';
import { formatIssues } from '../../src/config/issues.ts';
import { type LoadResult, parseConfig } from '../../src/config/load.ts';
import { type AccessPolicy, isDenied } from '../../src/core/access/access-policy.ts';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import { configOf, readFrom } from '../support/configuration.ts';

/** A listener with these lines, beside files of these names and texts. */
function parse(lines: string, files: Readonly<Record<string, string>> = {}): LoadResult {
  const text = `version: 1
listeners:
  web:
    bind: 127.0.0.1:8080
    pool: app
    ${lines.split('\n').join('\n    ')}
pools: { app: { backends: ["127.0.0.1:9001"] } }
`;
  return parseConfig(text, { file: '/etc/sluice/sluice.yaml', env: {}, readFile: readFrom(files) });
}

function accessOf(result: LoadResult): AccessPolicy {
  const [listener] = configOf(result).listeners;
  if (listener === undefined) throw new Error('There is no listener');
  return listener.policy.access;
}

function issuesOf(result: LoadResult): readonly string[] {
  if (result.ok) return [];
  return result.issues.map(
    ({ file, line, column, path, message }) => `${file}:${line}:${column} ${path}: ${message}`,
  );
}

/** Which of the addresses the listener lets in. */
function letIn(result: LoadResult, ...addresses: readonly string[]): readonly string[] {
  const access = accessOf(result);
  return addresses.filter((address) => !isDenied(access, endpoint(address)));
}

function endpoint(address: string): Endpoint {
  const parsed = Endpoint.parse(address, 1);
  if (parsed === undefined) throw new Error(`${address} is no address`);
  return parsed;
}

const noLists = { allow: undefined, deny: undefined };

describe("A listener's lists", () => {
  test('are none without a key, and where nothing is denied', () => {
    expect(accessOf(parse(''))).toEqual(noLists);
    expect(accessOf(parse('deny: []'))).toEqual(noLists);
  });

  test('allow and deny networks and addresses', () => {
    const result = parse('allow: [10.0.0.0/8, ::1]\ndeny:\n  - 10.9.0.0/16');
    expect(letIn(result, '10.1.0.1', '10.9.0.1', '11.0.0.1', '::1', '::2')).toEqual(['10.1.0.1', '::1']);
  });

  test('are read from files beside the configuration as well', () => {
    const result = parse('allow: [10.0.0.0/8]\nallowFile: lists/allow.txt\ndenyFile: /deny.txt', {
      '/etc/sluice/lists/allow.txt': '192.168.0.0/16\n',
      '/deny.txt': '10.9.0.0/16\n192.168.9.0/24\n',
    });
    expect(letIn(result, '10.1.0.1', '10.9.0.1', '192.168.1.1', '192.168.9.1', '8.8.8.8')).toEqual([
      '10.1.0.1',
      '192.168.1.1',
    ]);
    expect(result.files).toEqual(['/etc/sluice/sluice.yaml', '/etc/sluice/lists/allow.txt', '/deny.txt']);
  });

  test('in files have one entry a line, with comments, blank lines, any line end and a byte order mark', () => {
    const text =
      '\ufeff10.0.0.1\r\n# all:\r\n\r\n  10.0.0.2 # two\n10.0.0.3#three\n\t10.0.0.4\t\n#10.0.0.5\n10.0.0.6';
    const result = parse('allowFile: allow.txt', { '/etc/sluice/allow.txt': text });
    const addresses = [1, 2, 3, 4, 5, 6, 7].map((last) => `10.0.0.${last}`);
    expect(letIn(result, ...addresses)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.6']);
  });

  test('may have many thousands of entries', () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => `10.${index >> 8}.${index & 255}.7`);
    const result = parse('denyFile: deny.txt', { '/etc/sluice/deny.txt': lines.join('\n') });
    expect(letIn(result, '10.0.0.7', '10.0.0.8', '10.195.79.7', '10.195.80.7')).toEqual([
      '10.0.0.8',
      '10.195.80.7',
    ]);
  });

  test('cannot be changed, but for the words that workers share', () => {
    const access = accessOf(parse('allow: [10.0.0.0/8]'));
    expect([access, access.allow].every(Object.isFrozen)).toBe(true);
    expect(access.allow?.trie.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

describe('A mistake in a list', () => {
  const expected = 'Expected a network or an address such as "10.0.0.0/8", "fe80::/10" or "::1"';

  test('is told at its entry', () => {
    expect(issuesOf(parse('allow: [10.0.0.0/8, 10.0.0.1/8, office]\ndeny: [7, 1.2.3.4]'))).toEqual([
      '/etc/sluice/sluice.yaml:6:25 listeners.web.allow[1]: Expected the network 10.0.0.0/8 or the address 10.0.0.1, found "10.0.0.1/8"',
      `/etc/sluice/sluice.yaml:6:37 listeners.web.allow[2]: ${expected}, found "office"`,
      `/etc/sluice/sluice.yaml:7:12 listeners.web.deny[0]: ${expected}, found 7`,
    ]);
  });

  test('keeps its index behind one of another type', () => {
    expect(issuesOf(parse('deny: [7, office]'))).toEqual([
      `/etc/sluice/sluice.yaml:6:12 listeners.web.deny[0]: ${expected}, found 7`,
      `/etc/sluice/sluice.yaml:6:15 listeners.web.deny[1]: ${expected}, found "office"`,
    ]);
  });

  test('is told where the list is none, or allows nobody', () => {
    const list = 'Expected a list of networks such as ["10.0.0.0/8", "::1"]';
    expect(issuesOf(parse('allow: []\ndeny: 10.0.0.1'))).toEqual([
      `/etc/sluice/sluice.yaml:6:12 listeners.web.allow: ${list}, found an empty list`,
      `/etc/sluice/sluice.yaml:7:11 listeners.web.deny: ${list}, found "10.0.0.1"; did you mean ["10.0.0.1"]?`,
    ]);
    expect(issuesOf(parse('allowFile: allow.txt', { '/etc/sluice/allow.txt': '# nobody yet\n' }))).toEqual([
      '/etc/sluice/sluice.yaml:6:16 listeners.web.allowFile: Expected at least one network or address, found none in /etc/sluice/allow.txt',
    ]);
  });

  test('is none where a file is empty and something else is allowed, or nothing denied', () => {
    const empty = { '/etc/sluice/empty.txt': '\n' };
    expect(letIn(parse('allow: [::1]\nallowFile: empty.txt', empty), '::1', '::2')).toEqual(['::1']);
    expect(accessOf(parse('denyFile: empty.txt', empty))).toEqual(noLists);
  });

  test('in a file is told with that file, its line, and those of the configuration before it', () => {
    const result = parse('allowFile: allow.txt\ndenyFile: deny.txt\nrefuseWith: rst', {
      '/etc/sluice/allow.txt': '10.0.0.0/8\r\n  10.0.0.1/8 # too wide\r\n',
      '/etc/sluice/deny.txt': 'deny all;\n::1 ::2\n',
    });
    expect(issuesOf(result)).toEqual([
      '/etc/sluice/sluice.yaml:8:17 listeners.web.refuseWith: Expected "reset" or "close", found "rst"',
      '/etc/sluice/allow.txt:2:3 listeners.web.allowFile: Expected the network 10.0.0.0/8 or the address 10.0.0.1, found "10.0.0.1/8"',
      `/etc/sluice/deny.txt:1:1 listeners.web.denyFile: ${expected}, found "deny all;"; did you mean "0.0.0.0/0", "::/0"?`,
      `/etc/sluice/deny.txt:2:1 listeners.web.denyFile: ${expected}, found "::1 ::2"; did you mean "::1", "::2"?`,
    ]);
    expect(result.ok ? '' : formatIssues(result.issues).split('\n').slice(4, 6)).toEqual([
      '    10.0.0.1/8 # too wide',
      '    ^',
    ]);
  });

  test('in every line of a long file is told a hundred times, and then counted', () => {
    const issues = issuesOf(parse('denyFile: deny.txt', { '/etc/sluice/deny.txt': 'x\n'.repeat(5_000) }));
    expect(issues).toHaveLength(101);
    expect(issues[0]).toBe(
      '/etc/sluice/sluice.yaml:6:15 listeners.web.denyFile: Expected one network or address a line, found 4900 lines more that are none in /etc/sluice/deny.txt',
    );
  });

  test('such as a missing file is told at the key, and the file is still among those to watch', () => {
    const result = parse('allowFile: allow.txt', { 'other.txt': '' });
    expect(issuesOf(result)).toEqual([
      '/etc/sluice/sluice.yaml:6:16 listeners.web.allowFile: Cannot read /etc/sluice/allow.txt: it is not among other.txt',
    ]);
    expect(result.files).toEqual(['/etc/sluice/sluice.yaml', '/etc/sluice/allow.txt']);
  });
});
