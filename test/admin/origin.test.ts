import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { crossOrigin } from '../../src/admin/access.ts';

/** The part of a request that is looked at. */
function asked(localAddress: string | undefined, host?: string, origin?: string): IncomingMessage {
  return { headers: { host, origin }, socket: { localAddress } } as unknown as IncomingMessage;
}

describe('crossOrigin', () => {
  test.each([
    ['10.1.2.3', '10.1.2.3:9900'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8::5', '[2001:db8::5]:9900'],
    ['2001:db8::5', '[2001:0DB8:0::5]'],
    ['fe80::1%eth0', '[fe80::1]:9900'],
  ])('lets Host name the address %s that was connected to: %s', (local, host) => {
    expect(crossOrigin(asked(local, host, `http://${host}`))).toBeUndefined();
  });

  test.each([
    ['10.1.2.3', '10.1.2.4:9900'],
    ['2001:db8::5', '[2001:db8::6]'],
    ['10.1.2.3', 'proxy.internal'],
    ['10.1.2.3', ''],
  ])('finds a Host foreign to %s: %s', (local, host) => {
    expect(crossOrigin(asked(local, host))).toBe('host');
    expect(crossOrigin(asked(local, local, `http://${host}`))).toBe(local.includes(':') ? 'host' : 'origin');
  });

  test('lets in who says no Host, as HTTP/1.0 may and no browser does', () => {
    expect(crossOrigin(asked('10.1.2.3'))).toBeUndefined();
  });

  test('takes any Host on a unix socket, but no foreign Origin', () => {
    expect(crossOrigin(asked(undefined, 'anything'))).toBeUndefined();
    expect(crossOrigin(asked(undefined, 'anything', 'http://evil.example'))).toBe('origin');
  });
});
