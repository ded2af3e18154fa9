// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { expect, test } from 'vitest';
import { quoted } from '../../src/config/guesses.ts';
import { formatIssues } from '../../src/config/issues.ts';
import { parseConfig } from '../../src/config/load.ts';
import { orList } from '../../src/config/options/terms.ts';
import { balances } from '../../src/core/balancers/table.ts';

const listeners = 'listeners:\n  web:\n    bind: 127.0.0.1:8080\n    pool: app\n';
const pools = 'pools:\n  app:\n    backends: [127.0.0.1:9001]\n';
const good = `version: 1\n${listeners}${pools}`;

/** The issues of a text as `line:column path: message`. */
function issuesOf(text: string, env: Record<string, string> = {}): readonly string[] {
  const result = parseConfig(text, { file: 'sluice.yaml', env });
  if (result.ok) return [];
  return result.issues.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

const withPool = (lines: string): string => good.replace('    backends', `    ${lines}\n    backends`);
const withListener = (lines: string): string => good.replace('    pool:', `    ${lines}\n    pool:`);
const withBackends = (list: string): string => good.replace('[127.0.0.1:9001]', list);
const withBind = (bind: string): string => good.replace('127.0.0.1:8080', bind);

const address = 'an address such as "127.0.0.1:8080", ":8080" (every interface) or "unix:/run/web.sock"';
const target =
  'an address such as "10.0.0.1:9000", "db.internal:5432", "srv:_pg._tcp.db.internal" or "unix:/run/app.sock"';
const rootKeys = 'version, workers, driver, memory, listeners, pools, admin, log, shutdown, resolver';

test.each<readonly [string, string, ...string[]]>([
  // the file as a whole
  ['', '1:1 : Expected version, listeners and pools, found an empty file'],
  ['# nothing\n', '1:1 : Expected version, listeners and pools, found an empty file'],
  ['- a\n', '1:1 : Expected a mapping with version, listeners and pools, found a list'],
  ['hello\n', '1:1 : Expected a mapping with version, listeners and pools, found "hello"'],
  [`version: 2\nnew: key\n`, '1:10 version: Expected 1, the only version there is, found 2'],
  [good.replace('version: 1', 'version: "1"'), '1:10 version: Expected 1, found "1"'],
  [`${listeners}${pools}`, '1:1 version: Missing key "version", expected 1'],
  [
    `version: 1\n${pools}`,
    '1:1 listeners: Missing key "listeners", expected a mapping with at least one listener',
  ],
  [
    `version: 1\nlisteners: {}\n${pools}`,
    '2:12 listeners: Expected a mapping with at least one listener, found an empty mapping',
  ],
  [
    `version: 1\nlisteners:\n${pools}`,
    '2:11 listeners: Expected a mapping with at least one listener, found nothing',
  ],

  // YAML
  [`${good}version: 1\n`, '9:1 version: Duplicate key "version"; the first is at line 1'],
  [
    withPool('connect: { retries: 1, retries: 2 }'),
    '8:28 pools.app.connect.retries: Duplicate key "retries"; the first is at line 8',
  ],
  ['a:\n\tb: 1\n', '2:1 : Expected spaces as indentation, found a tab'],
  ['a: b: c\n', '1:4 : Expected one key and its value, found a second ": "; did you mean { b: c }?'],
  [
    `${good}---\n${good}`,
    '9:1 : Expected one YAML document, found a second; give it a file of its own, or take out the line ---',
  ],
  [
    good.replace('127.0.0.1:8080', '[::1]:8080'),
    '4:16 : Not valid YAML: Unexpected scalar at node end; quote an IPv6 address, as in "[::1]:8080"',
  ],
  [
    withBackends('[[::1]:9000]'),
    '8:16 pools.app.backends[0]: Expected a word as key, found a list; quote an IPv6 address, as in "[::1]:9000"',
  ],
  [withBackends('*all'), '8:15 pools.app.backends: No anchor &all before this alias'],
  [withBackends('&all [*all]'), '8:21 pools.app.backends[0]: The alias *all stands inside its own anchor'],
  [withBind('!local 127.0.0.1:8080'), '4:11 : Not valid YAML: Unresolved tag: !local'],

  // keys
  [withPool('blance: first'), '8:5 pools.app.blance: Unknown key "blance", did you mean "balance"?'],
  [
    `${good}proxyProtocol: off\n`,
    `9:1 proxyProtocol: Unknown key "proxyProtocol", expected one of ${rootKeys}`,
  ],
  [
    withListener('colour: []'),
    '5:5 listeners.web.colour: Unknown key "colour", expected one of bind, pool, routes, inspect, tls, proxyProtocol, limits, timeouts, allow, allowFile, deny, denyFile, refuseWith',
  ],
  // lines that stand too far in or out
  [
    good.replace('    pool: app', '  pool: app'),
    '5:3 listeners.pool: Expected a name, found the key "pool"; indent it below the name that it belongs to',
  ],
  [
    good.replace('    pool: app', '  timeouts: { idle: 5m }'),
    '5:3 listeners.timeouts: Expected a name, found the key "timeouts"; indent it below the name that it belongs to',
  ],
  [
    good.replace('pools:\n', '  pools:\n'),
    '6:3 listeners.pools: Expected a name, found the key "pools" of the file; begin it at the left margin',
  ],
  [
    good.replace('  web:\n    bind', 'web:\n  bind').replace('    pool', '  pool'),
    '3:1 web: Unknown key "web"; indent it to have it in "listeners"',
  ],

  // other shapes
  [
    good.replace('  web:\n    bind', '  - name: web\n    bind'),
    '3:3 listeners: Expected a mapping with at least one listener, found a list; did you mean "web:" instead of "- name: web"?',
  ],
  [
    good.replace('  web:\n    bind', '  - bind'),
    '3:3 listeners: Expected a mapping with at least one listener, found a list; did you mean names instead of dashes, as in "web:"?',
  ],
  [
    good.replace('    backends: ', '    '),
    '8:5 pools.app: Expected a mapping such as { backends: ["10.0.0.1:9000"] }, found a list; did you mean { backends: ["127.0.0.1:9001"] }?',
  ],
  [
    withBackends('\n      -127.0.0.1:9001'),
    '9:7 pools.app.backends: Expected a list of at least one backend, such as ["10.0.0.1:9000"], found "-127.0.0.1:9001"; did you mean "- 127.0.0.1:9001", with a blank after the dash?',
  ],
  [
    withListener('tls: off'),
    '5:10 listeners.web.tls: Expected a mapping such as { certificates: [{ cert: certs/a.pem, key: certs/a.key }] }, found "off"; did you mean to leave the key out?',
  ],
  [
    withPool('healthCheck: true'),
    '8:18 pools.app.healthCheck: Expected a mapping such as { type: http, path: /healthz }, found true; did you mean { type: tcp }?',
  ],
  [
    withPool('healthCheck: http'),
    '8:18 pools.app.healthCheck: Expected a mapping such as { type: http, path: /healthz }, found something else',
  ],
  [
    `${good}admin: on\n`,
    '9:8 admin: Expected a mapping such as { bind: "127.0.0.1:9900" }, found "on"; did you mean {}?',
  ],
  [
    `${good}admin: off\n`,
    '9:8 admin: Expected a mapping such as { bind: "127.0.0.1:9900" }, found "off"; did you mean to leave the key out?',
  ],
  [`${good}admin:\n`, '9:7 admin: Expected a mapping such as { bind: "127.0.0.1:9900" }, found nothing'],
  [good.replace('pool: app', 'pool:'), '5:10 listeners.web.pool: Expected the name of a pool, found nothing'],
  [
    good.replace('pool: app', 'routes: [{ split: { app: 99% } }]'),
    '5:30 listeners.web.routes[0].split.app: Expected an integer from 0 to 1000000, found "99%"',
  ],
  [`${good}"<<": {}\n`, `9:1 <<: Unknown key "<<", expected one of ${rootKeys}`],
  [`${good}__proto__: {}\n`, `9:1 __proto__: Unknown key "__proto__", expected one of ${rootKeys}`],
  [
    good.replace('  app:', '  -app:'),
    '5:11 listeners.web.pool: Expected the name of a pool (-app), found "app"; did you mean "-app"?',
    '7:3 pools.-app: Expected a name of at most 63 letters, digits, "_", "-" and "." that begins with none of the last two, found "-app"',
  ],
  [
    good.replace('    backends: [127.0.0.1:9001]\n', '    balance: first\n'),
    '7:3 pools.app.backends: Missing key "backends", expected a list of at least one backend, such as ["10.0.0.1:9000"]',
  ],

  // listeners
  [
    good.replace('pool: app', 'pool: ap'),
    '5:11 listeners.web.pool: Expected the name of a pool (app), found "ap"; did you mean "app"?',
  ],
  [
    withBind('8080'),
    `4:11 listeners.web.bind: Expected ${address}, or a list of them, found 8080; did you mean ":8080"?`,
  ],
  [withBind('"8080"'), `4:11 listeners.web.bind: Expected ${address}, found "8080"; did you mean ":8080"?`],
  [
    withBind('{ address: "127.0.0.1:80", mode: "0660" }'),
    '4:38 listeners.web.bind.mode: Key "mode" goes with a unix socket, found "127.0.0.1:80"',
  ],
  [
    withBind('[{ address: "unix:/x", mode: 0660 }]'),
    '4:40 listeners.web.bind[0].mode: Expected permissions in quotes such as "0660", found 660',
  ],
  [
    `${good}admin: { bind: { address: "unix:/x", mode: "0880" } }\n`,
    '9:44 admin.bind.mode: Expected permissions in quotes such as "0660", found "0880"',
  ],
  [
    withBind('[{ address: "unix:/x", mode: "600" }, "unix:/x"]'),
    '4:49 listeners.web.bind[1]: Expected an address that is free beside unix:/x at line 4, found "unix:/x"',
  ],
  [withBind('[]'), '4:11 listeners.web.bind: Expected at least one address, found an empty list'],
  [withBind('[":1", 2]'), `4:18 listeners.web.bind[1]: Expected ${address}, found 2; did you mean ":2"?`],
  [
    withBind('[":80", "127.0.0.1:80"]'),
    '4:19 listeners.web.bind[1]: Expected an address that is free beside [::]:80 at line 4, found "127.0.0.1:80"',
  ],
  [
    `${good}admin: { bind: localhost:8080 }\n`,
    '9:16 admin.bind: Expected an address that is free beside 127.0.0.1:8080 at line 4, found "localhost:8080"',
  ],
  [
    withListener('timeouts: { idle: 30 }'),
    '5:23 listeners.web.timeouts.idle: Expected a duration such as "30s" or "unlimited", found 30; did you mean "30s"?',
  ],
  [
    withListener('timeouts: { idle: 0s }'),
    '5:23 listeners.web.timeouts.idle: Expected a duration above 0 or "unlimited", found "0s"; did you mean "unlimited"?',
  ],
  [
    withListener('timeouts: { idle: off }'),
    '5:23 listeners.web.timeouts.idle: Expected a duration such as "30s" or "unlimited", found "off"; did you mean "unlimited"?',
  ],
  [
    withListener('timeouts: { idle: 30d }'),
    '5:23 listeners.web.timeouts.idle: Expected at most 24d, near the longest that a timer can wait, found "30d"',
  ],
  [
    withListener('limits: { maxConnections: 0 }'),
    '5:31 listeners.web.limits.maxConnections: Expected an integer from 1 to 2147483647 or "unlimited", found 0; did you mean "unlimited"?',
  ],
  [
    withListener('limits: { connectionsPerSecond: -1 }'),
    '5:37 listeners.web.limits.connectionsPerSecond: Expected a number above 0, at most 1000000, or "unlimited", found -1; did you mean "unlimited"?',
  ],
  [
    withListener('limits: { perClient: { maxConnections: 1.5 } }'),
    '5:44 listeners.web.limits.perClient.maxConnections: Expected an integer from 1 to 2147483647 or "unlimited", found 1.5',
  ],
  [
    withListener('limits:'),
    '5:12 listeners.web.limits: Expected a mapping with maxConnections, connectionsPerSecond, burst, perClient, found nothing',
  ],
  [
    withListener('refuseWith: rst'),
    '5:17 listeners.web.refuseWith: Expected "reset" or "close", found "rst"',
  ],

  // pools
  [
    withBackends('[]'),
    '8:15 pools.app.backends: Expected a list of at least one backend, such as ["10.0.0.1:9000"], found an empty list',
  ],
  [
    withBackends('[10.0.0.1]'),
    '8:16 pools.app.backends[0]: Expected a port behind the address, as in "10.0.0.1:9000", found "10.0.0.1"',
  ],
  [
    withBackends('[10.0.0.1:0]'),
    '8:16 pools.app.backends[0]: Expected a port from 1 to 65535, found "10.0.0.1:0"',
  ],
  [
    withBackends('[5]'),
    `8:16 pools.app.backends[0]: Expected ${target}, or a mapping with an "address", found 5; did you mean "127.0.0.1:5"?`,
  ],
  [
    withBackends('[{ address: "a:1", weight: heavy }]'),
    '8:42 pools.app.backends[0].weight: Expected an integer from 0 to 1000000, found "heavy"',
  ],
  [
    withBackends('[{ weight: 1 }]'),
    `8:16 pools.app.backends[0].address: Missing key "address", expected ${target}`,
  ],
  [
    withBackends('[{ address: "a:1", weight: 0 }]'),
    '8:5 pools.app.backends: Expected a backend with a weight above 0, found none',
  ],
  [
    withBackends('["[::1]:1", { address: "[0::1]:1" }]'),
    '8:38 pools.app.backends[1].address: Expected each backend once (it is at line 8 too), found "[0::1]:1"',
  ],
  [
    withPool('balance: leastconn'),
    `8:14 pools.app.balance: Expected ${orList(balances.map(quoted))}, found "leastconn"; did you mean "least-connections"?`,
  ],
  [
    withPool('connect: { timeout: unlimited }'),
    '8:25 pools.app.connect.timeout: Expected a duration such as "30s", found "unlimited"',
  ],
  [
    withPool('connect: { backoff: { initial: 2s } }'),
    '8:36 pools.app.connect.backoff.initial: Expected at most max, which is 1s, found "2s"',
  ],
  [
    withPool('connect: { backoff: { max: 10ms } }'),
    '8:32 pools.app.connect.backoff.max: Expected at least initial, which is 50ms, found "10ms"',
  ],
  [
    withPool('circuitBreaker: { openFor: 10s, maxOpenFor: 9s }'),
    '8:49 pools.app.circuitBreaker.maxOpenFor: Expected at least openFor, which is 10s, found "9s"',
  ],
  [
    withPool('circuitBreaker: none'),
    '8:21 pools.app.circuitBreaker: Expected "off" or a mapping, found "none"; did you mean "off"?',
  ],
  [
    withPool('circuitBreaker: { trials: 1 }'),
    '8:23 pools.app.circuitBreaker.trials: Unknown key "trials", expected one of consecutiveFailures, openFor, maxOpenFor, halfOpenTrials',
  ],
  [
    withPool('slowStart: 0s'),
    '8:16 pools.app.slowStart: Expected a duration above 0 or "off", found "0s"; did you mean "off"?',
  ],
  [
    withPool('panicThreshold: 0.5'),
    '8:21 pools.app.panicThreshold: Expected a percentage from "0%" to "100%", found 0.5; did you mean "50%"?',
  ],
  [
    withPool('panicThreshold: 101%'),
    '8:21 pools.app.panicThreshold: Expected a percentage from "0%" to "100%", found "101%"',
  ],

  // health checks
  [
    withPool('healthCheck: {}'),
    '8:5 pools.app.healthCheck.type: Missing key "type", expected "tcp", "tls", "http", "https" or "send-expect"',
  ],
  [
    withPool('healthCheck: { type: tcp, path: /x }'),
    '8:31 pools.app.healthCheck.path: Key "path" goes with type "http" or "https", found type "tcp"',
  ],
  [
    withPool('healthCheck: { type: http, path: x }'),
    '8:38 pools.app.healthCheck.path: Expected a path such as "/healthz", found "x"',
  ],
  [
    withPool('healthCheck: { type: http, expectStatus: [399-200] }'),
    '8:47 pools.app.healthCheck.expectStatus[0]: Expected a range that goes up, such as "200-399", found "399-200"',
  ],
  [
    withPool('healthCheck: { type: http, expectStatus: [600] }'),
    '8:47 pools.app.healthCheck.expectStatus[0]: Expected a status such as 204 or a range such as "200-399", found 600',
  ],
  [
    withPool('healthCheck: { type: send-expect, send: x }'),
    '8:5 pools.app.healthCheck.expect: Missing key "expect", what the answer must begin with',
  ],
  [
    withPool('healthCheck: { type: tls, tls: { ca: /none.pem } }'),
    '8:42 pools.app.healthCheck.tls.ca: Cannot read /none.pem: no such file or directory (ENOENT)',
  ],

  [
    withPool('healthCheck: { type: https, tls: off }'),
    '8:38 pools.app.healthCheck.tls: Expected a mapping beside the type "https", which is TLS, found "off"',
  ],
  [
    withPool('healthCheck: { type: http, tls: { cert: /none.pem } }'),
    '8:39 pools.app.healthCheck.tls.cert: Missing key "key", which belongs to it',
  ],

  // the rest
  [`${good}workers: 0\n`, '9:10 workers: Expected an integer from 1 to 256 or "auto", found 0'],
  [
    `${good}log: { sessions: yes }\n`,
    '9:18 log.sessions: Expected true, false or a mapping such as { start: true, every: 10m }, found "yes"; did you mean true?',
  ],
  [
    `${good}resolver: { servers: [dns.internal] }\n`,
    '9:23 resolver.servers[0]: Expected the IP address of a name server such as "10.0.0.2:53", found "dns.internal"',
  ],
  [
    `${good}admin: { bind: 0.0.0.0:9900 }\n`,
    '9:16 admin.bind: Expected a token beside an address that others reach, found 0.0.0.0:9900 without one',
  ],
  [
    `${good}admin: { bind: 0.0.0.0:9900, token: "a b" }\n`,
    '9:37 admin.token: Expected a token of printable ASCII without spaces, found something else',
  ],
  [
    withListener('routes: [5]'),
    '5:14 listeners.web.routes[0]: Expected a mapping such as { when: { sni: www.example.com }, pool: app }, found 5',
  ],
  [
    good.replace('    pool: app', '    routes: [5, { pool: app }]'),
    '5:14 listeners.web.routes[0]: Expected a mapping such as { when: { sni: www.example.com }, pool: app }, found 5',
  ],
])('parseConfig of %j says what is wrong and where', (text, ...expected) => {
  expect(issuesOf(text)).toEqual(expected);
});

test('parseConfig tells every mistake of a file at once, in the order of the file', () => {
  const text = `version: 1
listeners:
  web: { bind: 8080, pool: app }
  other: { bind: 127.0.0.1:8080, pool: nope }
pools:
  app:
    backends: [10.0.0.1, 5, { address: "a:1", weight: -1 }, "a:1"]
    slowStart: 60
`;
  expect(issuesOf(text).map((issue) => issue.split(': ')[0])).toEqual([
    '3:16 listeners.web.bind',
    '4:40 listeners.other.pool',
    '7:16 pools.app.backends[0]',
    '7:26 pools.app.backends[1]',
    '7:55 pools.app.backends[2].weight',
    '7:61 pools.app.backends[3]',
    '8:16 pools.app.slowStart',
  ]);
});

test('parseConfig tells an unset variable once, at its value', () => {
  expect(issuesOf(withBind('${ADDRESS}'))).toEqual([
    '4:11 listeners.web.bind: Environment variable ADDRESS is not set; set it, or write "${ADDRESS:-default}"',
  ]);
});

test('parseConfig says which substitution a wrong value came from', () => {
  expect(issuesOf(withPool('slowStart: ${RAMP}'), { RAMP: '60' })).toEqual([
    '8:16 pools.app.slowStart: Expected a duration such as "30s" or "off", found what "${RAMP}" stands for',
  ]);
});

test('formatIssues shows the line with a mark under the place', () => {
  const result = parseConfig(withListener('refuseWith: rst'), { file: 'sluice.yaml', env: {} });
  expect(result.ok ? '' : formatIssues(result.issues)).toBe(
    [
      'sluice.yaml:5:17 listeners.web.refuseWith: Expected "reset" or "close", found "rst"',
      '    refuseWith: rst',
      '                ^',
    ].join('\n'),
  );
});

test('formatIssues never shows the text of a token', () => {
  const result = parseConfig(`${good}admin: { token: "geheim nis" }\n`, { file: 'sluice.yaml', env: {} });
  expect(result.ok ? '' : formatIssues(result.issues)).not.toContain('geheim');
});

test('An agent check that can ask nobody is a warning', () => {
  const text = (backends: string, host = '') => `version: 1
listeners: { web: { bind: "127.0.0.1:8080", pool: app } }
pools: { app: { backends: [${backends}], agentCheck: { port: 9009${host} } } }
`;
  const warningsOf = (text: string) => {
    const result = parseConfig(text, { file: 'sluice.yaml', env: {} });
    return result.ok ? result.warnings.map(({ path }) => path) : ['mistakes'];
  };
  expect(warningsOf(text('"unix:/run/a.sock"'))).toEqual(['pools.app.agentCheck']);
  expect(warningsOf(text('"unix:/run/a.sock", "10.0.0.1:80"'))).toEqual([]);
  expect(warningsOf(text('"unix:/run/a.sock"', ', host: 10.0.0.9'))).toEqual([]);
});

test('An address in place of a pool has the pool that would do', () => {
  const result = parseConfig(good.replace('pool: app', 'pool: 10.0.0.1:80'), {
    file: 'sluice.yaml',
    env: {},
  });
  expect(result.ok ? [] : result.issues.map(({ message }) => message)).toContain(
    'Expected the name of a pool (app), found "10.0.0.1:80"; did you mean "app", and "pools: { app: { backends: ["10.0.0.1:80"] } }"?',
  );
});
