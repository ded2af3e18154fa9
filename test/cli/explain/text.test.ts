import { describe, expect, it } from 'vitest';
import { explanationText } from '../../../src/cli/explain/text.ts';
import type {
  BackendExplanation,
  Explanation,
  PoolExplanation,
} from '../../../src/core/explain/explanation.ts';

const backend: BackendExplanation = {
  address: '10.0.0.1:9000',
  weight: 2,
  rampPercent: 100,
  backup: false,
  health: 'unknown',
  circuit: 'closed',
  active: 0,
  maxConnections: 'unlimited',
  unavailable: null,
  candidate: true,
};

const pool: PoolExplanation = {
  name: 'app',
  balance: 'first',
  held: false,
  active: 3,
  maxConnections: 9,
  queue: { waiting: 0, size: 0, timeoutMs: 'unlimited' },
  ignoresHealth: false,
  backends: [backend],
};

const plain: Explanation = {
  listener: { name: 'web', active: 0, maxConnections: 'unlimited' },
  client: { address: '192.0.2.1', announcedBy: null },
  proxyHeader: 'off',
  access: { verdict: 'allowed', by: 'no-list', network: null },
  tls: 'off',
  seen: {},
  waits: [],
  routes: [],
  fallback: { pool: 'app', verdict: 'taken' },
  pool,
  outcome: { kind: 'dial', backend: '10.0.0.1:9000', certainty: 'certain', possible: ['10.0.0.1:9000'] },
};

describe('explanationText', () => {
  it('goes from the client to the outcome', () => {
    expect(explanationText(plain)).toBe(`client    192.0.2.1
listener  web, 0 connections
says      nothing that is known
fallback  to app: taken
pool      app, first, 3 of 9 connections
          10.0.0.1:9000, weight 2, 0 connections: candidate
outcome   dials 10.0.0.1:9000
`);
  });

  it('tells who is announced, how full it all is, and which list decides', () => {
    const text = linesOf({
      client: { address: '10.1.2.3', announcedBy: '10.0.0.1', active: 1, maxConnections: 2 },
      listener: { name: 'web', active: 5, maxConnections: 7 },
      proxyHeader: 'announces',
      tls: 'terminated',
      access: { verdict: 'denied', by: 'deny', network: '10.1.0.0/16' },
      seen: { protocol: 'http', sni: 'a', alpn: ['h2', 'x'], httpHost: 'b' },
    });
    expect(text.slice(0, 5)).toEqual([
      'client    10.1.2.3, announced by 10.0.0.1, 1 of 2 connections',
      'listener  web, terminates TLS, 5 of 7 connections',
      'header    a PROXY protocol header',
      'access    denied: in the denied 10.1.0.0/16',
      'says      http, sni a, alpn h2 x, host b',
    ]);
  });

  it('gives a line to each route, but for those at the end that nobody came to', () => {
    const to = { pool: 'app' };
    const split = { split: { blue: 99, green: 1 }, next: 'blue' };
    const unreached = { verdict: 'not-reached', to } as const;
    const wanted = ['1', '2', '3', '4', '5', '6', '7'];
    const text = linesOf({
      routes: [
        { verdict: 'fails', condition: 'sni', wanted, seen: [], to },
        { verdict: 'needs-bytes', missing: ['sni', 'alpn'], to },
        { verdict: 'matches', to: split },
        unreached,
        unreached,
      ],
      fallback: { pool: null, verdict: 'not-reached' },
      waits: [{ for: 'first-bytes', upToMs: 500 }],
    });
    expect(text.slice(3, 9).map((line) => line.replace(/ {2,}/, ': '))).toEqual([
      'waits: up to 500ms for the bytes that routes ask for, in vain',
      'routes[0]: to app: sni: wanted 1, 2, 3, 4, 5 or 2 more, seen none',
      'routes[1]: to app: needs sni and alpn, which is not known',
      'routes[2]: to blue:99 green:1 (next blue): matches',
      'routes[3] to routes[4]: not reached',
      'fallback: none',
    ]);
    expect(linesOf({ routes: [unreached] })[3]).toMatch(/^routes\[0\] +not reached$/);
  });

  it('tells what keeps a backend from being a candidate, and what holds it back', () => {
    const backends: readonly BackendExplanation[] = [
      { ...backend, health: 'down', unavailable: 'down', candidate: false, maxConnections: 4 },
      { ...backend, circuit: 'open', unavailable: 'circuit-open', candidate: false },
      { ...backend, health: 'up', rampPercent: 40 },
      { ...backend, backup: true, candidate: false },
    ];
    const queue = { waiting: 1, size: 5, timeoutMs: 1 };
    const text = linesOf({ pool: { ...pool, queue, ignoresHealth: true, backends } });
    expect(text.slice(4, 9).map((line) => line.slice(10))).toEqual([
      'app, first, 3 of 9 connections, 1 of 5 in the queue, in panic: health is ignored',
      '10.0.0.1:9000, weight 2, 0 of 4 connections: down',
      '10.0.0.1:9000, weight 2, 0 connections: circuit-open',
      '10.0.0.1:9000, weight 2, of which 40 % for now, 0 connections, up: candidate',
      '10.0.0.1:9000, weight 2, backup, 0 connections: only if no primary can',
    ]);
  });

  it.each([
    [{ kind: 'dial', backend: 'a', certainty: 'next-turn', possible: ['a'] }, 'dials a, whose turn is next'],
    [
      { kind: 'dial', backend: 'a', certainty: 'one-of-several', possible: ['a', 'b', 'c'] },
      'dials a, b or c',
    ],
    [{ kind: 'queue', ahead: 2, timeoutMs: 5_000 }, 'waits in the queue up to 5s, behind 2'],
    [{ kind: 'queue', ahead: 0, timeoutMs: 'unlimited' }, 'waits in the queue as long as it takes'],
    [{ kind: 'refuse', reason: 'denied', with: 'reset' }, 'refused, denied: the client sees RST'],
    [{ kind: 'refuse', reason: 'pool-full', with: 'close' }, 'refused, pool-full: the client sees FIN'],
  ] as const)('ends with the outcome of %j', (outcome, words) => {
    expect(linesOf({ outcome }).at(-1)).toBe(`outcome   ${words}`);
  });
});

function linesOf(changes: Partial<Explanation>): readonly string[] {
  return explanationText({ ...plain, ...changes })
    .trimEnd()
    .split('\n');
}
