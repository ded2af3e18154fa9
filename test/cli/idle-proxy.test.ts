import { expect, it } from 'vitest';
import { UsageError } from '../../src/cli/command.ts';
import { idleProxy } from '../../src/cli/idle-proxy.ts';
import { parseConfig } from '../../src/config/load.ts';

it('idleProxy has one backend for each name, as it is written', () => {
  const { plan } = idleProxy(
    configWith(['10.0.0.1:80', 'a.internal:80', 'a.internal:81', 'srv:_x._tcp.internal']),
  );
  expect(plan.pools[0]?.backends.map(({ name }) => name)).toEqual([
    '10.0.0.1:80',
    'a.internal:80',
    'a.internal:81',
    'srv:_x._tcp.internal',
  ]);
});

it('idleProxy has room for what a proxy has', () => {
  const backends = Array.from({ length: 8_193 }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`);
  expect(() => idleProxy(configWith(backends))).toThrow(UsageError);
  expect(idleProxy(configWith(backends.slice(1))).plan.pools[0]?.backends).toHaveLength(8_192);
});

function configWith(backends: readonly string[]) {
  const text = JSON.stringify({
    version: 1,
    listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
    pools: { app: { backends } },
  });
  const loaded = parseConfig(text, { file: 'test', env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  return loaded.config;
}
