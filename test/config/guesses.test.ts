// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import type { Issue } from '../../src/config/issues.ts';
import { parseConfig } from '../../src/config/load.ts';

/** A file with one value in its place. Each is the last of its line. */
const places = {
  bind: (value: string) => `version: 1
listeners:
  web:
    pool: app
    bind: ${value}
pools: { app: { backends: ["127.0.0.1:9001"] } }
`,
  listener: (value: string) => `version: 1
listeners:
  web:
    bind: 127.0.0.1:8080
    pool: app
    ${value}
pools: { app: { backends: ["127.0.0.1:9001"] } }
`,
  backend: (value: string) => `version: 1
listeners: { web: { bind: 127.0.0.1:1234, pool: app } }
pools:
  app:
    backends:
      - ${value}
`,
  pool: (value: string) => `version: 1
listeners: { web: { bind: 127.0.0.1:8080, pool: app } }
pools:
  app:
    backends: [127.0.0.1:9001]
    ${value}
`,
  root: (value: string) => `version: 1
listeners: { web: { bind: 127.0.0.1:8080, pool: app } }
pools: { app: { backends: ["127.0.0.1:9001"] } }
${value}
`,
};

type Place = keyof typeof places;

function issuesOf(text: string, env: Record<string, string> = {}): readonly Issue[] {
  const result = parseConfig(text, { file: 'sluice.yaml', env });
  return result.ok ? [] : result.issues;
}

/** What the only message about the value guesses; undefined where it does not. */
function guessFor(place: Place, value: string, env?: Record<string, string>): string | undefined {
  const [issue, ...more] = issuesOf(places[place](value), env);
  expect(more).toEqual([]);
  if (issue === undefined) throw new Error(`Expected a mistake in ${value}`);
  return /; did you mean (.*)\?$/.exec(issue.message)?.[1];
}

/** What is written and where, and what would do instead of the mistaken value. */
const wrong: readonly (readonly [Place, string, string])[] = [
  // a backend, as nginx, HAProxy, Traefik and Docker write it
  ['backend', '127.0.0.1:9001 weight=5', '{ address: "127.0.0.1:9001", weight: 5 }'],
  [
    'backend',
    '10.0.0.1:80 weight=5 backup max_conns=9;',
    '{ address: "10.0.0.1:80", weight: 5, backup: true, maxConnections: 9 }',
  ],
  ['backend', 'server 10.0.0.1:80;', '"10.0.0.1:80"'],
  [
    'backend',
    'server web1 1.2.3.4:80 weight 5 maxconn 30',
    '{ address: "1.2.3.4:80", weight: 5, maxConnections: 30 }',
  ],
  ['backend', 'http://1.2.3.4:80', '"1.2.3.4:80"'],
  ['backend', 'http://1.2.3.4', '"1.2.3.4:80"'],
  ['backend', 'http://user:word@app.internal:81/path?a#b', '"app.internal:81"'],
  ['backend', 'tcp://app.internal:5432', '"app.internal:5432"'],
  ['backend', '1.2.3.4:80/path', '"1.2.3.4:80"'],
  ['backend', '1.2.3.4:8080/tcp', '"1.2.3.4:8080"'],
  ['backend', 'ipv4@1.2.3.4:80', '"1.2.3.4:80"'],
  ['backend', '10.0.0.1:080', '"10.0.0.1:80"'],
  ['backend', '::1:8080', '"[::1]:8080"'],
  ['backend', '2001:db8::7:443', '"[2001:db8::7]:443"'],
  ['backend', '"*:8080"', '"127.0.0.1:8080"'],
  ['backend', ':8080', '"127.0.0.1:8080"'],
  ['backend', '0:8080', '"127.0.0.1:8080"'],
  ['backend', '9001', '"127.0.0.1:9001"'],
  ['backend', '8080/tcp', '"127.0.0.1:8080"'],
  ['backend', '/run/app.sock', '"unix:/run/app.sock"'],
  ['backend', 'unix@/run/app.sock', '"unix:/run/app.sock"'],
  ['backend', '_pg._tcp.db.internal', '"srv:_pg._tcp.db.internal"'],
  ['backend', 'dnssrv+_pg._tcp.db.internal', '"srv:_pg._tcp.db.internal"'],
  ['backend', 'srv:_pg._tcp.db.internal:5432', '"srv:_pg._tcp.db.internal"'],
  ['backend', '{ address: "http://1.2.3.4" }', '"1.2.3.4:80"'],
  ['backend', '“10.0.0.1:80”', '"10.0.0.1:80"'],
  ['pool', 'connect:\n      timeout:5s', '{ timeout: 5s }'],

  // where to listen
  ['bind', '8080', '":8080"'],
  ['bind', '"8080"', '":8080"'],
  ['bind', '"*:8080"', '":8080"'],
  ['bind', '0:8080', '":8080"'],
  ['bind', 'any:8080', '":8080"'],
  ['bind', '8080/tcp', '":8080"'],
  ['bind', 'listen 8080', '":8080"'],
  ['bind', '127.0.0.1:8080 reuseport', '"127.0.0.1:8080"'],
  ['bind', 'tcp://:8080', '":8080"'],
  ['bind', 'http://127.0.0.1', '"127.0.0.1:80"'],
  ['bind', '::1:8080', '"[::1]:8080"'],
  ['bind', ':::8080', '"[::]:8080"'],
  ['bind', '/run/web.sock', '"unix:/run/web.sock"'],
  ['bind', '127.0.0.1:0080', '"127.0.0.1:80"'],

  // networks
  ['listener', 'allow: any', '["0.0.0.0/0", "::/0"]'],
  ['listener', 'allow: [10.0.0.0/255.0.0.0]', '"10.0.0.0/8"'],
  ['listener', 'allow: ["10.0.0.0 255.0.0.0"]', '"10.0.0.0/8"'],
  ['listener', 'allow: [10.1.0.0/0.0.255.255]', '"10.1.0.0/16"'],
  ['listener', 'allow: [10.0.0.0/8/8]', '"10.0.0.0/8"'],
  ['listener', 'allow: ["2001:db8::/32/32"]', '"2001:db8::/32"'],
  ['listener', 'allow: [10.1.*]', '"10.1.0.0/16"'],
  ['listener', 'allow: [10/8]', '"10.0.0.0/8"'],
  ['listener', 'allow: [10.0.0.7:80]', '"10.0.0.7"'],
  ['listener', 'allow: ["[::1]:80"]', '"::1"'],
  ['listener', 'allow: ["fe80::1%eth0"]', '"fe80::1"'],
  ['listener', 'deny: "10.0.0.0/8, ::1"', '["10.0.0.0/8", "::1"]'],

  // names of hosts
  [
    'listener',
    'routes: [{ when: { httpHost: "https://www.example.com/a" }, pool: app }]',
    '"www.example.com"',
  ],
  ['listener', 'routes: [{ when: { httpHost: "www.example.com:8080" }, pool: app }]', '"www.example.com"'],
  ['listener', 'routes: [{ when: { httpHost: "[::1]:80" }, pool: app }]', '"[::1]"'],
  ['listener', 'routes: [{ when: { sni: ["a.example:443"] }, pool: app }]', '"a.example"'],
  ['listener', 'routes: [{ when: { sni: .example.com }, pool: app }]', '"*.example.com"'],
  ['listener', 'routes: [{ when: { sni: "HostSNI(`a.example`)" }, pool: app }]', '"a.example"'],

  // words
  ['pool', 'balance: roundrobin', '"round-robin"'],
  ['pool', 'balance: round_robin', '"round-robin"'],
  ['pool', 'balance: wrr', '"round-robin"'],
  ['pool', 'balance: rond-robin', '"round-robin"'],
  ['pool', 'balance: leastconn', '"least-connections"'],
  ['pool', 'balance: LEAST_REQUEST', '"least-connections"'],
  ['pool', 'balance: ip_hash', '"source-hash"'],
  ['pool', 'balance: source', '"source-hash"'],
  ['pool', 'balance: random(2)', '"power-of-two"'],
  ['pool', 'healthCheck: { type: HTTP }', '"http"'],
  ['pool', 'healthCheck: { type: httpchk }', '"http"'],
  ['listener', "routes: [{ when: 'HostSNI(`a.example`)', pool: app }]", '{ sni: "a.example" }'],
  ['listener', "routes: [{ when: 'Host(`a.example`)', pool: app }]", '{ httpHost: "a.example" }'],
  ['root', 'log: { level: warning }', '"warn"'],
  ['root', 'log: { level: off }', '"silent"'],
  ['pool', 'connect: { proxyProtocol: true }', '"v1"'],
  ['pool', 'connect: { proxyProtocol: 2 }', '"v2"'],
  ['listener', 'proxyProtocol: on', '{ mode: required, from: [10.0.0.0/8] }'],
  ['pool', 'circuitBreaker: false', '"off"'],
  ['pool', 'circuitBreaker: true', '{}'],

  // durations
  ['listener', 'timeouts: { idle: 30 }', '"30s"'],
  ['listener', 'timeouts: { idle: "30" }', '"30s"'],
  ['listener', 'timeouts: { idle: 50000 }', '"50s"'],
  ['listener', 'timeouts: { idle: 3600 }', '"1h"'],
  ['listener', 'timeouts: { idle: 1h30m }', '"90m"'],
  ['listener', 'timeouts: { idle: 5 minutes }', '"5m"'],
  ['listener', 'timeouts: { idle: 30S }', '"30s"'],
  ['listener', 'timeouts: { idle: 1w }', '"7d"'],
  ['listener', 'timeouts: { idle: inf }', '"unlimited"'],
  ['listener', 'timeouts: { idle: none }', '"unlimited"'],
  ['listener', 'timeouts: { idle: -1 }', '"unlimited"'],
  ['listener', 'timeouts: { idle: 0 }', '"unlimited"'],
  ['listener', 'timeouts: { idle: 0s }', '"unlimited"'],
  ['listener', 'timeouts: { idle: off }', '"unlimited"'],
  ['pool', 'slowStart: 0', '"off"'],
  ['pool', 'slowStart: none', '"off"'],

  // numbers
  ['backend', '{ address: "a:1", weight: "5" }', '5'],
  ['listener', 'limits: { maxConnections: 10_000 }', '10000'],
  ['listener', 'limits: { maxConnections: 10k }', '10000'],
  ['listener', 'limits: { maxConnections: 0 }', '"unlimited"'],
  ['listener', 'limits: { connectionsPerSecond: 100/s }', '100'],
  ['listener', 'limits: { connectionsPerSecond: 10r/s }', '10'],
  ['listener', 'limits: { connectionsPerSecond: -1 }', '"unlimited"'],
  ['pool', 'panicThreshold: 50', '"50%"'],
  ['pool', 'panicThreshold: 0.5', '"50%"'],
  ['root', 'memory: { buffers: 128MB }', '"128MiB"'],
  ['root', 'memory: { buffers: 128m }', '"128MiB"'],
  ['listener', 'inspect: { maxBytes: 16k }', '"16KiB"'],
  ['listener', 'inspect: { maxBytes: "16384" }', '16384'],

  // true or false
  ['root', 'log: { sessions: yes }', 'true'],
  ['root', 'log: { sessions: no }', 'false'],
  ['root', 'log: { sessions: off }', 'false'],
  ['root', 'log: { sessions: 1 }', 'true'],
  ['root', 'log: { sessions: "true" }', 'true'],

  // lists
  ['listener', 'deny: 10.0.0.0/8', '["10.0.0.0/8"]'],
  ['pool', 'healthCheck: { type: http, expectStatus: 200 }', '[200]'],
  ['pool', 'healthCheck: { type: http, expectStatus: 2xx }', '["200-299"]'],
  ['pool', 'healthCheck: { type: http, expectStatus: [2xx] }', '"200-299"'],

  // the admin API, which is not for everybody
  ['root', 'admin: { bind: 9900 }', '"127.0.0.1:9900"'],
  ['root', 'admin: { bind: false }', '"off"'],
];

describe('parseConfig guesses', () => {
  test.each(wrong)('at %s: %s is %s', (place, value, meant) => {
    expect(guessFor(place, value)).toBe(meant);
  });

  test.each(wrong)('at %s: %s as what would do there: %s', (place, value, meant) => {
    const text = places[place](value);
    const [issue] = issuesOf(text);
    const document = parseDocument(text);
    const path = (issue?.path ?? '').split(/[.[\]]+/).filter((step) => step !== '');
    document.setIn(path, parse(meant));
    expect(issuesOf(String(document))).toEqual([]);
  });

  test.each<readonly [Place, string, string | undefined]>([
    [
      'backend',
      'server web1 1.2.3.4:80 check',
      '"1.2.3.4:80", and "healthCheck: { type: tcp }" beside "backends"',
    ],
    ['backend', 'https://app.internal', '"app.internal:443", and "connect: { tls: {} }" beside "backends"'],
    ['backend', '10.0.0.1:80 ssl', '"10.0.0.1:80", and "connect: { tls: {} }" beside "backends"'],
    ['backend', '10.0.0.1:80,10.0.0.2:80', '"10.0.0.1:80", "10.0.0.2:80"'],
    ['backend', '10.0.0.1:80 10.0.0.2:80', '"10.0.0.1:80", "10.0.0.2:80"'],
    [
      'bind',
      '127.0.0.1:443 ssl',
      '"127.0.0.1:443", and "tls: { certificates: [{ cert: a.pem, key: a.key }] }" beside "bind"',
    ],
    ['bind', '127.0.0.1:80, 127.0.0.1:81', '"127.0.0.1:80", "127.0.0.1:81"'],
    ['listener', 'allow: [ALL]', '"0.0.0.0/0", "::/0"'],
    ['listener', 'allow: ["*"]', '"0.0.0.0/0", "::/0"'],
    ['listener', 'allow: [localhost]', '"127.0.0.0/8", "::1"'],
    ['backend', '10.0.0.1:80\n        - 10.0.0.2:80', '"10.0.0.1:80", "10.0.0.2:80"'],
    ['listener', 'proxyProtocol: { mode: required, from: [any] }', '"0.0.0.0/0", "::/0"'],
    ['listener', 'routes: [{ when: { client: all }, pool: app }]', '"0.0.0.0/0", "::/0"'],
    [
      'listener',
      'routes: [{ when: { sni: "*" }, pool: app }]',
      'to leave the key out, so that every client fits',
    ],
    [
      'listener',
      'routes: [{ when: { sni: "a.example, b.example" }, pool: app }]',
      '"a.example", "b.example"',
    ],
    ['listener', 'allow: [10.0.0.1/8]', undefined],
    ['listener', 'allow: [10.0.0.0/255.0.255.0]', undefined],
    ['listener', 'allow: [10.0.0.1-10.0.0.9]', undefined],
    ['listener', 'routes: [{ when: { sni: ~^www }, pool: app }]', undefined],
    ['pool', 'connect: { tls: { verify: nope } }', undefined],
    ['pool', 'balance: uri', undefined],
    ['pool', 'connect: { timeout: 0 }', undefined],
    ['pool', 'connect: { timeout: unlimited }', undefined],
    ['pool', 'connect: { retries: 1000 }', undefined],
    ['pool', 'panicThreshold: 101%', undefined],
    ['listener', 'inspect: { maxBytes: 10MB }', undefined],
    ['backend', '10.0.0.1:99999', undefined],
    ['backend', '10.0.0.1:8080-8090', undefined],
    ['backend', 'the best of all backends 10.0.0.1:80', undefined],
  ])('at %s: %s is %s', (place, value, meant) => {
    expect(guessFor(place, value)).toBe(meant);
  });

  test('nothing of what a variable stands for, nor of a secret', () => {
    expect(guessFor('pool', 'slowStart: ${RAMP}', { RAMP: '60' })).toBeUndefined();
    expect(guessFor('backend', '${ADDRESS}', { ADDRESS: 'http://a:80' })).toBeUndefined();
    expect(guessFor('root', 'admin: { token: "geheim nis" }')).toBeUndefined();
  });

  test('nothing long', () => {
    expect(guessFor('backend', `http://${'a.'.repeat(60)}b:80`)).toBeUndefined();
  });
});
