// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LoadResult, loadConfig, parseConfig } from '../../src/config/load.ts';
import { defaultListenerPolicy } from '../../src/config/options/listener.ts';
import { defaultPoolPolicy } from '../../src/config/options/pool.ts';
import { selfSigned } from '../support/certificate.ts';
import { configOf } from '../support/configuration.ts';

const good = `version: 1
listeners:
  web: { bind: 127.0.0.1:8080, pool: app }
pools:
  app:
    backends: [127.0.0.1:9001]
`;

function parse(text: string, env: Record<string, string> = {}, readFile = noFile): LoadResult {
  return parseConfig(text, { file: '/etc/sluice/sluice.yaml', env, readFile });
}

function noFile(path: string): string {
  throw new Error(`No file was to be read, but ${path} was`);
}

test('parseConfig fills in every default', () => {
  expect(configOf(parse(good))).toEqual({
    workers: 'auto',
    driver: 'auto',
    memory: { bufferBytes: 'auto' },
    listeners: [
      {
        name: 'web',
        bind: [{ host: '127.0.0.1', port: 8080 }],
        pool: 'app',
        routes: [],
        policy: defaultListenerPolicy,
      },
    ],
    pools: [
      {
        name: 'app',
        policy: defaultPoolPolicy,
        backends: [
          {
            target: { kind: 'address', address: { host: '127.0.0.1', port: 9001 } },
            weight: 1,
            backup: false,
            maxConnections: Infinity,
          },
        ],
        healthCheck: undefined,
        agentCheck: undefined,
      },
    ],
    admin: 'off',
    log: {
      level: 'info',
      file: undefined,
      sessions: true,
      emptySessions: true,
      fields: undefined,
      samplePercent: 100,
    },
    shutdown: { delayMs: 0, graceMs: 30_000 },
    resolver: { servers: [], timeoutMs: 5_000 },
  });
});

test('parseConfig reads what the file sets', () => {
  const config = configOf(
    parse(`version: 1
workers: 2
driver: portable
listeners:
  web:
    bind: [":8080", "unix:/run/web.sock"]
    pool: app
    limits:
      connectionsPerSecond: 0.5
      perClient: { maxConnections: 3, connectionsPerSecond: 2.5, burst: 9, ipv6Prefix: 56 }
    timeouts: { idle: unlimited, halfClosed: 5s, maxLifetime: 1d }
    refuseWith: close
pools:
  app:
    balance: source-hash
    backends:
      - { address: "db.internal:5432", weight: 0, maxConnections: 7 }
      - { address: "srv:_pg._tcp.db.internal", backup: true }
    connect: { timeout: 1s, retries: 0, backoff: { initial: 0s, max: 2s } }
    healthCheck: { type: http, interval: 1s, jitter: 2.5%, port: 8081, path: /up, expectStatus: [204, "300-302"] }
    circuitBreaker: off
    limits: { maxConnections: 10, queue: { size: 5, timeout: 1s } }
    slowStart: 30s
    whenBackendDown: close
    panicThreshold: 50%
admin: { bind: 0.0.0.0:1, token: secret }
log: { level: debug, sessions: false, file: /var/log/sluice.log, fields: [client, reason], sample: 0.5% }
shutdown: { grace: 0s }
resolver: { servers: [10.0.0.2, "[::1]:5353"], timeout: 1s }
`),
  );
  const [listener] = config.listeners;
  expect(listener?.bind).toEqual([{ host: '::', port: 8080 }, { path: '/run/web.sock' }]);
  expect(listener?.policy).toEqual({
    ...defaultListenerPolicy,
    limits: {
      maxConnections: Infinity,
      connectionsPerSecond: 0.5,
      burst: 1,
      perClient: { maxConnections: 3, connectionsPerSecond: 2.5, burst: 9, ipv6Prefix: 56 },
    },
    timeouts: { idleMs: Infinity, halfClosedMs: 5_000, maxLifetimeMs: 86_400_000 },
    refuseWith: 'close',
  });
  const [pool] = config.pools;
  expect(pool?.policy).toEqual({
    balance: 'source-hash',
    connect: {
      ...defaultPoolPolicy.connect,
      timeoutMs: 1_000,
      retries: 0,
      backoff: { initialMs: 0, maxMs: 2_000 },
    },
    circuitBreaker: 'off',
    limits: { maxConnections: 10, queue: { size: 5, timeoutMs: 1_000, whenNoBackend: 'refuse' } },
    slowStartMs: 30_000,
    whenBackendDown: 'close',
    panicThresholdPercent: 50,
  });
  expect(pool?.backends).toEqual([
    {
      target: { kind: 'name', name: 'db.internal', port: 5432 },
      weight: 0,
      backup: false,
      maxConnections: 7,
    },
    {
      target: { kind: 'srv', name: '_pg._tcp.db.internal' },
      weight: 1,
      backup: true,
      maxConnections: Infinity,
    },
  ]);
  expect(pool?.healthCheck).toEqual({
    probe: {
      type: 'http',
      http: {
        method: 'GET',
        path: '/up',
        host: undefined,
        expectStatus: [
          { from: 204, to: 204 },
          { from: 300, to: 302 },
        ],
      },
    },
    intervalMs: 1_000,
    timeoutMs: 1_000,
    rise: 2,
    fall: 3,
    jitterPercent: 2.5,
    port: 8081,
    connection: { proxyProtocol: 'off', tls: 'off' },
    connectionElsewhere: { proxyProtocol: 'off', tls: 'off' },
  });
  expect(config).toMatchObject({
    workers: 2,
    driver: 'portable',
    admin: {
      bind: { host: '0.0.0.0', port: 1 },
      tokens: [{ name: 'token', token: 'secret', may: 'operate' }],
    },
    log: {
      level: 'debug',
      file: '/var/log/sluice.log',
      sessions: false,
      emptySessions: true,
      fields: ['client', 'reason'],
      samplePercent: 0.5,
    },
    shutdown: { delayMs: 0, graceMs: 0 },
    resolver: { servers: ['10.0.0.2:53', '[::1]:5353'], timeoutMs: 1_000 },
  });
});

test('parseConfig gives a config that nobody can change', () => {
  const everyPart = (value: unknown): readonly unknown[] =>
    typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(everyPart)] : [];
  expect(everyPart(configOf(parse(good))).filter((part) => !Object.isFrozen(part))).toEqual([]);
});

describe('a substitution', () => {
  const burst = good.replace(
    'pool: app',
    'pool: app, limits: { connectionsPerSecond: 5, burst: "${BURST}" }',
  );

  test('is a number where its key wants one', () => {
    expect(configOf(parse(burst, { BURST: '7' })).listeners[0]?.policy.limits.burst).toBe(7);
  });

  test('stays a string where its key takes strings', () => {
    const text = `${good}admin: { token: "\${TOKEN}" }\n`;
    expect(configOf(parse(text, { TOKEN: '123' })).admin).toMatchObject({ tokens: [{ token: '123' }] });
  });

  test('that comes to nothing is no token', () => {
    const text = `${good}admin:\n  token: \${TOKEN:-}\n`;
    expect(configOf(parse(text)).admin).toEqual({
      bind: { host: '127.0.0.1', port: 9900 },
      tokens: [],
      state: undefined,
    });
  });

  test('is not made in keys and comments', () => {
    expect(parse(`${good}# \${NONE}\n`).ok).toBe(true);
    expect(parse(`${good}"\${NONE}": 1\n`)).toMatchObject({ issues: [{ path: '${NONE}' }] });
  });
});

test('parseConfig reads certificates relative to the file', () => {
  const { cert: pem } = selfSigned('ca');
  const read: string[] = [];
  const text = good.replace('backends', 'healthCheck: { type: tls, tls: { ca: ca.pem } }\n    backends');
  const config = configOf(
    parse(text, {}, (path) => {
      read.push(path);
      return pem;
    }),
  );
  expect(read).toEqual(['/etc/sluice/ca.pem']);
  expect(parse(text, {}, () => pem).files).toEqual(['/etc/sluice/sluice.yaml', '/etc/sluice/ca.pem']);
  expect(config.pools[0]?.healthCheck?.connection.tls).toMatchObject({ verify: true, ca: pem });
  expect(parse(text, {}, () => 'a key')).toMatchObject({
    issues: [{ message: 'Expected a PEM file with certificates, found none in /etc/sluice/ca.pem' }],
  });
});

test('parseConfig warns of what has no effect', () => {
  const text = good.replace('pool: app', 'pool: app, limits: { burst: 5 }');
  const result = parse(`${text}  spare: { backends: ["a:1"] }\n`);
  expect(result).toMatchObject({
    ok: true,
    warnings: [
      { line: 3, path: 'listeners.web.limits.burst', message: 'Has no effect without connectionsPerSecond' },
      { line: 7, path: 'pools.spare', message: 'No listener uses this pool' },
    ],
  });
});

test.each([
  ['127.0.0.1:80', '127.0.0.1:80', false],
  ['127.0.0.1:80', '127.0.0.2:80', true],
  ['127.0.0.1:80', '0.0.0.0:80', false],
  ['0.0.0.0:80', '[::1]:80', true],
  [':80', '[::1]:80', false],
  ['[::]:80', '0.0.0.0:80', false],
  ['127.0.0.1:0', '127.0.0.1:0', true],
  ['unix:/a', 'unix:/a', false],
  ['unix:/a', 'unix:/b', true],
])('two listeners on %s and %s: %s', (one, other, ok) => {
  const text = good.replace('127.0.0.1:8080', `"${one}"`);
  const both = text.replace('pools:', `  other: { bind: "${other}", pool: app }\npools:`);
  expect(parse(both).ok).toBe(ok);
});

describe('hostile text', () => {
  test('an alias bomb is refused with one sentence', () => {
    const levels = [...'abcdefghij'].map((name, index, all) => {
      const item = index === 0 ? 'x' : `*${all[index - 1]}`;
      return `${name}: &${name} [${Array(9).fill(item).join(', ')}]`;
    });
    const result = parse(`${good}${levels.join('\n')}\n`);
    const messages = result.ok ? [] : result.issues.map(({ message }) => message);
    expect(messages.filter((message) => message.startsWith('Aliases'))).toEqual([
      'Aliases stand for more than 10000 values',
    ]);
  });

  test.each(['[', '{', '- ', '? ', '&a ', '!!', '{? '])('%j without end is answered', (part) => {
    expect(parse(part.repeat(20_000)).ok).toBe(false);
  });

  test('nesting is bounded', () => {
    expect(parse(`a: ${'['.repeat(1000)}${']'.repeat(1000)}`)).toMatchObject({
      issues: [{ line: 1, message: 'Nested too deeply' }],
    });
  });

  test('10 MB are refused unread', () => {
    expect(parse('#'.repeat(10_000_000))).toEqual({
      files: ['/etc/sluice/sluice.yaml'],
      ok: false,
      issues: [
        {
          file: '/etc/sluice/sluice.yaml',
          line: 1,
          column: 1,
          path: '',
          message: 'Expected at most 256 KiB, found a larger file',
          excerpt: undefined,
        },
      ],
    });
  });
});

describe('loadConfig', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('reads a file', async () => {
    const file = join(folder, 'good.yaml');
    await writeFile(file, `\ufeff${good}`);
    expect((await loadConfig(file, {})).ok).toBe(true);
  });

  test('says why a file cannot be read', async () => {
    const messageOf = async (file: string): Promise<string | undefined> => {
      const result = await loadConfig(file, {});
      return result.ok ? undefined : result.issues[0]?.message;
    };
    const binary = join(folder, 'binary.yaml');
    await writeFile(binary, Uint8Array.of(0x61, 0xff, 0xfe));
    expect(await messageOf(join(folder, 'none.yaml'))).toBe(
      'Cannot read the file: no such file or directory (ENOENT)',
    );
    expect(await messageOf(folder)).toBe('Cannot read the file: it is a folder; name a file in it');
    expect(await messageOf(binary)).toBe('Cannot read the file: it is not UTF-8 text; save it as UTF-8');
  });

  test('reads no more of a large file than it must', async () => {
    const file = join(folder, 'large.yaml');
    await writeFile(file, Buffer.alloc(10_000_000, '# a comment\n'));
    expect(await loadConfig(file, {})).toMatchObject({ ok: false, issues: [{ file, line: 1 }] });
  });
});
