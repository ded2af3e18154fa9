import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { contains } from '../../src/core/access/address-set.ts';
import { addressWords } from '../../src/core/addresses.ts';
import { configOf } from '../support/configuration.ts';

describe('Routes in the configuration', () => {
  it('are read in their order, each with all five conditions', () => {
    const [route, ...others] = routesOf(`
      - when:
          sni: [API.Example.com, "*.api.example.com.", bücher.example]
          alpn: h2
          protocol: [tls, http]
          httpHost: "[::1]"
          client: 10.0.0.0/8
        pool: app
      - pool: other`);
    expect(route?.when).toMatchObject({
      sni: ['api.example.com', '*.api.example.com', 'xn--bcher-kva.example'],
      alpn: ['h2'],
      protocol: ['tls', 'http'],
    });
    expect(route?.to).toEqual([{ pool: 'app', weight: 1 }]);
    const inside = addressWords('10.9.9.9');
    expect(route?.when.client && inside && contains(route.when.client, inside)).toBe(true);
    expect(others.map(({ to }) => to)).toEqual([[{ pool: 'other', weight: 1 }]]);
  });

  it('may split over pools by weight, of which 0 leaves a pool out', () => {
    expect(routesOf('[{ split: { app: 99, other: 1 } }]')[0]?.to).toEqual([
      { pool: 'app', weight: 99 },
      { pool: 'other', weight: 1 },
    ]);
    expect(routesOf('[{ split: { app: 5, other: 0 } }]')[0]?.to).toEqual([{ pool: 'app', weight: 5 }]);
  });

  it.each([
    ['[{ when: { sni: a.example } }]', 'Expected either "pool" or "split", found neither'],
    ['[{ pool: app, split: { other: 1 } }]', 'Expected either "pool" or "split", found both'],
    ['[{ pool: ap }]', 'Expected the name of a pool (app, other), found "ap"; did you mean "app"?'],
    ['[{ split: { nobody: 1 } }]', 'Expected the name of a pool (app, other)'],
    ['[{ split: { app: 0 } }]', 'Expected a pool with a weight above 0, found none'],
    [
      '[{ when: { sni: "*" }, pool: app }]',
      'Expected a host name such as "www.example.com" or "*.example.com"',
    ],
    ['[{ when: { sni: "a..b" }, pool: app }]', 'Expected a host name'],
    ['[{ when: { sni: [a.example, "a b"] }, pool: app }]', 'Expected a host name'],
    ['[{ when: { httpHost: "a.example:80" }, pool: app }]', 'Expected a host name'],
    ['[{ when: { client: 10.0.0.1/8 }, pool: app }]', 'Expected the network 10.0.0.0/8'],
    ['[{ when: { protocol: smtp }, pool: app }]', 'Expected one of "ssh", "tls"'],
    ['[{ when: { sni: [] }, pool: app }]', 'Expected a'],
    ['[{ when: { port: 1 }, pool: app }]', 'Unknown key "port"'],
  ])('%s is a mistake', (text, message) => {
    const result = load(text);
    expect(result.ok ? [] : result.issues.map((issue) => issue.message).join('\n')).toContain(message);
  });

  it('warn of a route that is never asked', () => {
    const result = load('[{ pool: app }, { when: { sni: a.example }, pool: other }]');
    expect(result.ok && result.warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'listeners.web.routes[1]: Is never asked, because everything matches the route before it',
    ]);
  });

  it('stand in for a pool, which one of both must be', () => {
    expect(load('[{ pool: app }, { pool: other }]', '').ok).toBe(true);
    const result = load('[]', '');
    expect(result.ok ? [] : result.issues.map(({ message }) => message)).toEqual([
      'Missing key "pool", where connections go',
    ]);
  });
});

describe('inspect', () => {
  it.each([
    ['{}', { timeoutMs: 3_000, maxBytes: 16_384, undecided: 'refuse' }],
    ['{ timeout: 500ms, maxBytes: 1KiB }', { timeoutMs: 500, maxBytes: 1_024, undecided: 'refuse' }],
    ['{ maxBytes: 65536 }', { timeoutMs: 3_000, maxBytes: 65_536, undecided: 'refuse' }],
    ['{ undecided: fallback }', { timeoutMs: 3_000, maxBytes: 16_384, undecided: 'fallback' }],
  ])('%s is read', (text, policy) => {
    const result = load('[]', `pool: app\n    inspect: ${text}`);
    expect(result.ok && result.config.listeners[0]?.policy.inspect).toEqual(policy);
  });

  it.each([
    '{ maxBytes: 65KiB }',
    '{ maxBytes: 0B }',
    '{ maxBytes: 16K }',
    '{ timeout: 0s }',
    '{ undecided: pass }',
  ])('%s is a mistake', (text) => {
    expect(load('[]', `pool: app\n    inspect: ${text}`).ok).toBe(false);
  });
});

function load(routes: string, more = 'pool: app') {
  const text = `version: 1
listeners:
  web:
    bind: 127.0.0.1:8080
    ${more}
    routes: ${routes}
pools: { app: { backends: ["127.0.0.1:1"] }, other: { backends: ["127.0.0.1:2"] } }
`;
  return parseConfig(text, { file: 'sluice.yaml', env: {} });
}

function routesOf(text: string) {
  return configOf(load(text)).listeners[0]?.routes ?? [];
}
