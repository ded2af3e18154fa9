import { expect, test } from 'vitest';
import { connectionTo } from '../../src/cli/admin-address.ts';

test.each([
  ['every interface, with IPv6 or without it', { host: '::', port: 9900 }, { host: '127.0.0.1', port: 9900 }],
  ['every interface of IPv4', { host: '0.0.0.0', port: 9900 }, { host: '127.0.0.1', port: 9900 }],
  ['one address', { host: '::1', port: 9900 }, { host: '::1', port: 9900 }],
  ['a unix socket', { path: '/run/sluice.sock' }, { socketPath: '/run/sluice.sock' }],
])('A sluice that listens on %s is asked where it answers', (_, address, connection) => {
  expect(connectionTo(address)).toEqual(connection);
});
