import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  expectedBind,
  expectedTarget,
  formatAddress,
  formatTarget,
  parseBind,
  parseNameServer,
  parseTarget,
} from '../../src/config/addresses.ts';

describe('parseBind', () => {
  test.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['localhost:80', { host: '127.0.0.1', port: 80 }],
    ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
    [':8080', { host: '::', port: 8080 }],
    ['[::]:8080', { host: '::', port: 8080 }],
    ['[0:0:0:0:0:0:0:1]:65535', { host: '::1', port: 65_535 }],
    ['[2001:DB8::00ff]:1', { host: '2001:db8::ff', port: 1 }],
    ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
    ['unix:/run/web.sock', { path: '/run/web.sock' }],
    ['unix:///run/web.sock', { path: '/run/web.sock' }],
  ])('reads %s', (text, address) => {
    expect(parseBind(text)).toEqual({ ok: true, value: address });
  });

  test.each([
    ['8080', expectedBind],
    ['', expectedBind],
    ['::1:8080', 'an IPv6 address in brackets and a port behind it, as in "[::1]:8080"'],
    ['[]:80', expectedBind],
    ['127.0.0.1', 'a port behind the address, as in "127.0.0.1:8080"'],
    ['[::1]', 'a port behind the address, as in "[::1]:8080"'],
    ['127.0.0.1:80 ssl', expectedBind],
    ['tcp://127.0.0.1:80', expectedBind],
    ['127.0.0.1:65536', 'a port from 0 to 65535'],
    ['127.0.0.1:080', 'a port from 0 to 65535'],
    ['127.0.0.1:', 'a port from 0 to 65535'],
    ['127.0.0.1:http', 'a port from 0 to 65535'],
    ['example.com:80', 'an IP address or "localhost" before the port'],
    ['10.0.0.256:80', 'an IP address or "localhost" before the port'],
    ['[127.0.0.1]:80', 'an IP address or "localhost" before the port'],
    ['unix:web.sock', 'an absolute path as in "unix:/run/web.sock"'],
    [`unix:/${'x'.repeat(107)}`, 'a socket path of at most 107 bytes'],
  ])('refuses %s', (text, expected) => {
    expect(parseBind(text)).toMatchObject({ ok: false, expected });
  });
});

describe('parseTarget', () => {
  test.each([
    ['10.0.0.1:9000', { kind: 'address', address: { host: '10.0.0.1', port: 9000 } }],
    ['[::0001]:9000', { kind: 'address', address: { host: '::1', port: 9000 } }],
    [
      'localhost:9000',
      { kind: 'address', address: { host: '127.0.0.1', port: 9000 }, hostName: 'localhost' },
    ],
    ['unix:/run/app.sock', { kind: 'address', address: { path: '/run/app.sock' } }],
    ['DB.internal.:5432', { kind: 'name', name: 'db.internal.', port: 5432 }],
    ['my_service:80', { kind: 'name', name: 'my_service', port: 80 }],
    ['srv:_pg._tcp.db.internal', { kind: 'srv', name: '_pg._tcp.db.internal' }],
  ])('reads %s', (text, target) => {
    expect(parseTarget(text)).toEqual({ ok: true, value: target });
  });

  test.each([
    [':80', expectedTarget],
    ['10.0.0.1', 'a port behind the address, as in "10.0.0.1:9000"'],
    ['db.internal', 'a port behind the address, as in "db.internal:9000"'],
    ['10.0.0.1:80 weight=5', expectedTarget],
    ['http://a:80', expectedTarget],
    ['10.0.0.1:0', 'a port from 1 to 65535'],
    ['10.0.0.999:80', 'an IP address or a name before the port'],
    ['-a.b:80', 'an IP address or a name before the port'],
    ['a..b:80', 'an IP address or a name before the port'],
    [`${'a'.repeat(64)}:80`, 'an IP address or a name before the port'],
    ['[db]:80', 'an IP address or a name before the port'],
    ['srv:', 'a name such as "srv:_pg._tcp.db.internal"'],
    ['srv:a b', 'a name such as "srv:_pg._tcp.db.internal"'],
  ])('refuses %s', (text, expected) => {
    expect(parseTarget(text)).toMatchObject({ ok: false, expected });
  });
});

test('parseNameServer adds port 53', () => {
  expect(parseNameServer('10.0.0.2')).toEqual({ ok: true, value: '10.0.0.2:53' });
  expect(parseNameServer('::1')).toEqual({ ok: true, value: '[::1]:53' });
  expect(parseNameServer('[::1]:5353')).toEqual({ ok: true, value: '[::1]:5353' });
  expect(parseNameServer('dns.internal:53').ok).toBe(false);
});

test('formatAddress and formatTarget write what is read back as the same', () => {
  const ports = fc.integer({ min: 1, max: 65_535 });
  const hosts = fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((host) => `[${host}]`),
    fc.domain(),
  );
  fc.assert(
    fc.property(hosts, ports, (host, port) => {
      const target = parseTarget(`${host}:${port}`);
      if (!target.ok) throw new Error(`Expected ${target.expected}, found ${host}`);
      expect(parseTarget(formatTarget(target.value))).toEqual(target);

      const bind = parseBind(`${host}:${port}`);
      if (bind.ok) expect(parseBind(formatAddress(bind.value))).toEqual(bind);
    }),
  );
});

test('parseBind and parseTarget answer whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const variant of [text, `unix:${text}`, `srv:${text}`, `${text}:1`, `[${text}]:1`]) {
        expect(typeof parseBind(variant).ok).toBe('boolean');
        expect(typeof parseTarget(variant).ok).toBe('boolean');
      }
    }),
  );
});
