import { describe, expect, it } from 'vitest';
import { authorityHost, hostName } from '../../../src/core/wire/host-name.ts';

describe('hostName', () => {
  it.each([
    ['a', 'a'],
    ['Api.EXAMPLE.com', 'api.example.com'],
    ['api.example.com.', 'api.example.com'],
    ['_dmarc.x-1.test', '_dmarc.x-1.test'],
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0::1', '[2001:db8::1]'],
    ['0:0:0:0:0:0:0:1', '[::1]'],
  ])('reads %s', (given, expected) => {
    expect(hostName(given)).toBe(expected);
  });

  it.each([
    '',
    '.',
    '..',
    '.a',
    'a..',
    'a..b',
    'a b',
    'a\0',
    'a\n',
    'é.test',
    '*.test',
    'a/b',
    'a@b',
    '[::1]',
    'a%2e',
    'fe80::1%eth0',
    '1::2::3',
    'a:80',
  ])('reads no name in %j', (given) => {
    expect(hostName(given)).toBeUndefined();
  });

  it('reads names of 255 bytes and no longer ones', () => {
    expect(hostName('a'.repeat(255))).toBe('a'.repeat(255));
    expect(hostName('a'.repeat(256))).toBeUndefined();
  });
});

describe('authorityHost', () => {
  it.each([
    ['Example.com', 'example.com'],
    ['example.com.:8080', 'example.com'],
    ['example.com:', 'example.com'],
    ['192.0.2.1:80', '192.0.2.1'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['[::1]:65535', '[::1]'],
    ['[::ffff:192.0.2.1]', '[::ffff:192.0.2.1]'],
    ['[0:0:0:0:0:0:0:1]:80', '[::1]'],
    ['[0000:0000::0001]', '[::1]'],
  ])('reads the host of %s', (given, expected) => {
    expect(authorityHost(given)).toBe(expected);
  });

  it.each([
    ...['', ':80', 'a:b', 'a:80:80', 'a:123456', 'a:-1', 'a, b', 'user@a', 'a/b', 'ex%61mple.com'],
    ...['[::1', '[]', '[1.2.3.4]', '[::1]x', '[::1]80', '[a]', '[::1%eth0]', '[v1.x]', '::1', '[1::2::3]'],
  ])('reads no host in %j', (given) => {
    expect(authorityHost(given)).toBeUndefined();
  });
});
