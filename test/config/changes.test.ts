import { expect, test } from 'vitest';
import { changesBetween } from '../../src/config/changes.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { authority } from '../support/certificate.ts';
import { configOf, readFrom } from '../support/configuration.ts';

const ca = authority('ours');
const [first, second, other] = ['a.example', 'a.example', 'b.example'].map((name) =>
  ca.issue({ names: [name] }),
);
const files = Object.fromEntries(
  Object.entries({ first, second, other }).flatMap(([name, pair]) => [
    [`/etc/sluice/${name}.pem`, pair?.cert ?? ''],
    [`/etc/sluice/${name}.key`, pair?.key ?? ''],
  ]),
);

interface Shape {
  readonly listeners?: object;
  readonly pools?: object;
  readonly more?: object;
}

const web = { bind: ':8080', pool: 'app' };
const app = { backends: ['10.0.0.1:9000', '10.0.0.2:9000'] };

function config({ listeners = { web }, pools = { app }, more = {} }: Shape = {}): Config {
  const text = JSON.stringify({ version: 1, listeners, pools, ...more });
  return configOf(parseConfig(text, { file: '/etc/sluice/sluice.yaml', env: {}, readFile: readFrom(files) }));
}

function withCertificates(...names: readonly string[]): Config {
  const certificates = names.map((name) => ({ cert: `${name}.pem`, key: `${name}.key` }));
  return config({ listeners: { web: { ...web, tls: { certificates } } } });
}

test('A configuration that says the same has no changes', () => {
  expect(changesBetween(config(), config())).toEqual({});
  expect(changesBetween(withCertificates('first'), withCertificates('first'))).toEqual({});
});

test('Listeners and pools that come, go and change are named', () => {
  const after = config({
    listeners: { web: { ...web, timeouts: { idle: '5m' } }, api: { bind: ':8081', pool: 'db' } },
    pools: { app: { ...app, healthCheck: { type: 'tcp' } }, db: { backends: ['10.0.0.3:5432'] } },
  });
  expect(changesBetween(config(), after)).toEqual({
    added: { listeners: ['api'], pools: ['db'] },
    changed: { listeners: ['web'], pools: ['app'] },
  });
  expect(changesBetween(after, config())).toEqual({
    removed: { listeners: ['api'], pools: ['db'] },
    changed: { listeners: ['web'], pools: ['app'] },
  });
});

test('Backends of a pool that stays are named with it', () => {
  const after = config({
    pools: { app: { backends: [{ address: '10.0.0.1:9000', weight: 5 }, 'app.internal:80'] } },
  });
  expect(changesBetween(config(), after)).toEqual({
    added: { backends: ['app/app.internal:80'] },
    removed: { backends: ['app/10.0.0.2:9000'] },
    changed: { backends: ['app/10.0.0.1:9000'] },
  });
});

test('A certificate that takes the place of another for the same names has changed', () => {
  expect(changesBetween(withCertificates('first'), withCertificates('second', 'other'))).toEqual({
    added: { certificates: ['web/b.example until 2099-12-31'] },
    changed: { certificates: ['web/a.example until 2099-12-31'] },
  });
  expect(changesBetween(withCertificates('first', 'other'), withCertificates('first'))).toEqual({
    removed: { certificates: ['web/b.example until 2099-12-31'] },
  });
});

test('So has the certificate that backends are shown', () => {
  const shown = (name: string): Config =>
    config({ pools: { app: { ...app, connect: { tls: { cert: `${name}.pem`, key: `${name}.key` } } } } });
  expect(changesBetween(shown('first'), shown('second'))).toEqual({
    changed: { certificates: ['app/a.example until 2099-12-31'] },
  });
});

test('Other settings are named by their keys', () => {
  const after = config({ more: { workers: 7, log: { level: 'debug' }, shutdown: { grace: '1s' } } });
  expect(changesBetween(config(), after)).toEqual({
    changed: { settings: ['workers', 'log', 'shutdown'] },
  });
});
