import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { describe, expect, it } from 'vitest';
import { dialFailure, isExhaustion, isFullQueue } from '../../src/drivers/dial-failure.ts';

describe('dialFailure', () => {
  it.each(['ECONNREFUSED', 'ENOENT'])('says of %s that nobody listens', (code) => {
    expect(dialFailure(code)).toBe('connect-refused');
  });

  it('holds nothing against a backend while this process is out of descriptors or memory, and only then', () => {
    const exhausted = Object.keys(constants.errno).filter((code) => dialFailure(code) === 'exhausted');
    expect(exhausted.sort()).toEqual(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
    expect(exhausted.every(isExhaustion)).toBe(true);
  });

  it.each([
    'EADDRNOTAVAIL',
    'EAFNOSUPPORT',
    'ENETUNREACH',
    'EHOSTUNREACH',
    'EINVAL',
    'EACCES',
    'EPERM',
    'EPROTOTYPE',
  ])('holds %s against the one destination that it is about', (code) => {
    expect(dialFailure(code)).toBe('connect-failed');
    expect(isExhaustion(code)).toBe(false);
  });

  it.each(['ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'ECANCELED'])(
    'takes %s for a failed attempt',
    (code) => {
      expect(dialFailure(code)).toBe('connect-failed');
    },
  );

  it('takes an error that it does not know, or that has no code, for a failed attempt', () => {
    for (const code of ['ERR_TLS_CERT_ALTNAME_INVALID', 'UNKNOWN', 'constructor', '', undefined]) {
      expect(dialFailure(code)).toBe('connect-failed');
    }
  });

  it('knows the names that Node gives to the numbers of a kernel', () => {
    const { EADDRNOTAVAIL, ECONNREFUSED, EMFILE } = constants.errno;
    const names = [EADDRNOTAVAIL, ECONNREFUSED, EMFILE].map((errno) => getSystemErrorName(-errno));
    expect(names.map(dialFailure)).toEqual(['connect-failed', 'connect-refused', 'exhausted']);
  });
});

describe('isFullQueue', () => {
  it('is said of a unix socket alone: no other waits for room in an accept queue', () => {
    expect(isFullQueue('EAGAIN', { path: '/run/app.sock' })).toBe(true);
    expect(isFullQueue('EAGAIN', { host: '127.0.0.1', port: 1 })).toBe(false);
    expect(isFullQueue('ECONNREFUSED', { path: '/run/app.sock' })).toBe(false);
    expect(isFullQueue(undefined, { path: '/run/app.sock' })).toBe(false);
  });
});
