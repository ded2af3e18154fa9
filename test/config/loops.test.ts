// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { hostname, networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';

const own = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

/** What a file says of one listener whose pool has one backend: nothing, a warning or a mistake. */
function saidOf(bind: string, backend: string): string {
  return saidOfText(`version: 1
listeners: { web: { bind: "${bind}", pool: app } }
pools: { app: { backends: ["${backend}"] } }
`);
}

function saidOfText(text: string): string {
  const result = parseConfig(text, { file: 'sluice.yaml', env: { PORT: '8080' } });
  if (!result.ok) return result.issues.map(({ path, message }) => `${path}: ${message}`).join('\n');
  return result.warnings.map(({ path, message }) => `warning ${path}: ${message}`).join('\n');
}

describe('parseConfig, of a backend that is the listener in front of it', () => {
  test.each([
    ['127.0.0.1:8080', '127.0.0.1:8080'],
    ['127.0.0.1:8080', 'localhost:8080'],
    ['localhost:8080', 'LOCALHOST:8080'],
    ['127.0.0.1:8080', 'localhost.localdomain:8080'],
    ['127.0.0.1:8080', 'web.localhost.:8080'],
    ['127.0.0.1:8080', '0.0.0.0:8080'],
    ['0.0.0.0:8080', '127.0.0.1:8080'],
    ['0.0.0.0:8080', '127.5.5.5:8080'],
    ['0.0.0.0:8080', '0.0.0.0:8080'],
    [':8080', '127.0.0.1:8080'],
    [':8080', '[::1]:8080'],
    [':8080', '[::ffff:127.0.0.1]:8080'],
    ['[::1]:8080', '[::]:8080'],
    ['10.1.2.3:8080', '10.1.2.3:8080'],
    ['unix:/run/a.sock', 'unix:///run/a.sock'],
  ])('on %s: %s is a mistake', (bind, backend) => {
    expect(saidOf(bind, backend)).toMatch(
      /^pools\.app\.backends\[0\]: Expected a server behind listener "web", found the listener itself, on /m,
    );
  });

  test.each([
    ['127.0.0.1:8080', '127.0.0.1:8081'],
    ['127.0.0.1:8080', '127.0.0.2:8080'],
    ['0.0.0.0:8080', '[::1]:8080'],
    ['[::1]:8080', '127.0.0.1:8080'],
    [':8080', '192.0.2.99:8080'],
    [':8080', 'db.internal:8080'],
    ['127.0.0.1:0', '127.0.0.1:8080'],
    ['127.0.0.1:8080', `${hostname()}:8080`],
  ])('on %s: %s is none', (bind, backend) => {
    expect(saidOf(bind, backend)).toBe('');
  });

  test.each([`${hostname()}:8080`, ...(own === undefined ? [] : [`${own}:8080`])])(
    'is a warning where that holds on this machine alone: %s',
    (backend) => {
      expect(saidOf(':8080', backend)).toBe(
        'warning pools.app.backends[0]: On this machine, this is listener "web" itself, on [::]:8080',
      );
    },
  );

  test('is found behind a route and a split, at the address of a mapping, and what a variable holds is not shown', () => {
    const text = `version: 1
listeners:
  web:
    bind: ":\${PORT}"
    pool: other
    routes: [{ when: { protocol: ssh }, split: { app: 1, other: 1 } }]
pools:
  app: { backends: [{ address: "127.0.0.1:8080", weight: 2 }] }
  other: { backends: ["127.0.0.1:9000"] }
`;
    expect(saidOfText(text)).toBe(
      'pools.app.backends[0].address: Expected a server behind listener "web", found the listener itself, on what ":${PORT}" stands for',
    );
  });
});

describe('parseConfig, of backends that lead back by way of other listeners', () => {
  const chain = (last: string) => `version: 1
listeners:
  a: { bind: ":1001", pool: a }
  b: { bind: ":1002", pool: b }
  c: { bind: ":1003", pool: c }
pools:
  a: { backends: ["127.0.0.1:1002"] }
  b: { backends: ["127.0.0.1:1003"] }
  c: { backends: ["127.0.0.1:${last}"] }
`;

  test('warns once, where the way closes', () => {
    expect(saidOfText(chain('1001'))).toBe('warning pools.c.backends[0]: Leads back to listener "a"');
    expect(saidOfText(chain('1002'))).toBe('warning pools.c.backends[0]: Leads back to listener "b"');
  });

  test('says nothing of a way that ends', () => {
    expect(saidOfText(chain('1004'))).toBe('');
  });
});
