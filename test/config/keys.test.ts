import { describe, expect, test } from 'vitest';
import { lettersOf } from '../../src/config/guesses.ts';
import type { Path } from '../../src/config/issues.ts';
import { meantKeys } from '../../src/config/key-guesses.ts';
import { parseConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/options/config.ts';
import type { JsonSchema } from '../../src/config/options/json-schema.ts';
import { otherKeys } from '../../src/config/other-keys.ts';

const root: readonly string[] = [];
const listener = ['listeners', 'web'];
const pool = ['pools', 'app'];

describe('meantKeys', () => {
  test.each<readonly [path: Path, key: string, meant: readonly string[]]>([
    // mistyped, or in another spelling
    [root, 'Version', ['version']],
    [root, 'listener', ['listeners']],
    [pool, 'health-check', ['healthCheck']],
    [pool, 'circuit_breaker', ['circuitBreaker']],
    [listener, 'time_outs', ['timeouts']],
    [[...pool, 'backends', 0], 'weigth', ['weight']],
    [[...pool, 'backends', 0], 'address:10.0.0.1:80', ['address: 10.0.0.1:80']],

    // as others call them
    [root, 'frontend', ['listeners']],
    [root, 'backends', ['pools']],
    [root, 'upstream', ['pools']],
    [root, 'entryPoints', ['listeners']],
    [root, 'services', ['pools']],
    [root, 'nbthread', ['workers']],
    [root, 'worker_processes', ['workers']],
    [root, 'metrics', ['admin']],
    [listener, 'listen', ['bind']],
    [listener, 'port', ['bind']],
    [listener, 'default_backend', ['pool']],
    [listener, 'proxy_pass', ['pool']],
    [listener, 'reverse_proxy', ['pool']],
    [[...listener, 'tls'], 'cert', ['certificates']],
    [[...listener, 'tls'], 'key', ['certificates']],
    [pool, 'health_uri', ['healthCheck.path']],
    [listener, 'ssl', ['tls']],
    [listener, 'accept-proxy', ['proxyProtocol']],
    [listener, 'whitelist', ['allow']],
    [pool, 'server', ['backends']],
    [pool, 'servers', ['backends']],
    [pool, 'loadBalancer', ['balance']],
    [pool, 'check', ['healthCheck']],
    [[...pool, 'backends', 0], 'url', ['address']],
    [[...pool, 'backends', 0], 'max_conns', ['maxConnections']],
    [[...pool, 'healthCheck'], 'uri', ['path']],
    [[...pool, 'healthCheck'], 'inter', ['interval']],
    [[...listener, 'routes', 0], 'rule', ['when']],
    [[...listener, 'routes', 0, 'when'], 'HostSNI', ['sni']],
    [['resolver'], 'nameservers', ['servers']],

    // further in
    [listener, 'maxconn', ['limits.maxConnections']],
    [listener, 'idle', ['timeouts.idle']],
    [listener, 'certificate', ['tls.certificates']],
    [pool, 'max_conns', ['limits.maxConnections']],
    [pool, 'retries', ['connect.retries']],
    [pool, 'timeout', ['connect.timeout', 'healthCheck.timeout', 'agentCheck.timeout']],
    [root, 'level', ['log.level']],

    // further out
    [[...listener, 'timeouts'], 'pool', ['listeners.web.pool']],
    [[...pool, 'connect'], 'healthCheck', ['pools.app.healthCheck']],
    [[...pool, 'connect', 'backoff'], 'retries', ['pools.app.connect.retries']],
    [listener, 'admin', ['admin']],

    // nobody can tell
    [root, 'include', []],
    [pool, 'mode', []],
    [pool, 'weight', []],
    [[...listener, 'routes', 0, 'when'], 'uri', []],
  ])('at %j for %j are %j', (path, key, meant) => {
    expect(meantKeys(configSchema, [...path, key])).toEqual(meant);
  });
});

/** The keys of all mappings within a schema. */
function keysIn({
  properties = {},
  patternProperties = {},
  anyOf = [],
  items,
}: JsonSchema): readonly string[] {
  const below = [...Object.values(properties), ...Object.values(patternProperties), ...anyOf];
  return [...Object.keys(properties), ...[...below, ...(items === undefined ? [] : [items])].flatMap(keysIn)];
}

test('otherKeys stand for keys that there are, and none of them has such a name itself', () => {
  const known = new Set(keysIn(configSchema));
  expect(Object.keys(otherKeys).filter((key) => !known.has(key))).toEqual([]);
  for (const [ours, others] of Object.entries(otherKeys)) {
    expect(others.map(lettersOf)).not.toContain(lettersOf(ours));
  }
});

test('A key that is missing is not told where another was meant to be it', () => {
  const text = `version: 1
frontends: { web: { listen: 127.0.0.1:8080, default_backend: app } }
pools: { app: { servers: ["127.0.0.1:9001"] } }
`;
  const result = parseConfig(text, { file: 'sluice.yaml', env: {} });
  expect(result.ok ? [] : result.issues.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    'frontends: Unknown key "frontends", did you mean "listeners"?',
    'pools.app.servers: Unknown key "servers", did you mean "backends"?',
  ]);
});
