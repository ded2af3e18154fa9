import { expect, it } from 'vitest';
import { withoutKoffi, withoutRing } from '../../../src/drivers/uring/obstacle.ts';

function failed(syscall: string, code: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { syscall, code });
}

it.each([
  ['io_uring_setup', 'EPERM', '0', 'io_uring_setup is forbidden (EPERM), as by the seccomp'],
  ['io_uring_setup', 'EACCES', '0', 'io_uring_setup is forbidden (EACCES), as by the seccomp'],
  ['io_uring_setup', 'EPERM', '1', 'kernel.io_uring_disabled is 1'],
  ['io_uring_setup', 'EPERM', '2', 'kernel.io_uring_disabled is 2'],
  ['io_uring_setup', 'ENOSYS', '0', 'the kernel has no io_uring_setup (ENOSYS)'],
  ['io_uring_setup', 'EINVAL', '0', 'older than the uring driver needs, which is 6.1: io_uring_setup EINVAL'],
  ['io_uring_setup', 'ENOMEM', '0', 'io_uring_setup failed: ENOMEM'],
  ['multishot recv', 'EINVAL', '0', 'which is 6.1: it has no multishot recv (EINVAL)'],
  ['connect', 'ECONNREFUSED', '0', 'connect failed: ECONNREFUSED'],
  ['mmap', 'EPERM', '2', 'mmap failed: EPERM'],
])('%s %s with io_uring_disabled at %s is told as what it is', (call, code, disabled, says) => {
  expect(withoutRing(failed(call, code), disabled)).toContain(says);
});

it('an operation that does something else than it should is told too', () => {
  expect(withoutRing(new Error('recv lost bytes'), '0')).toBe('io_uring does not work here: recv lost bytes');
});

it('koffi that is missing is told from koffi that is broken', () => {
  const missing = Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' });
  expect(withoutKoffi(missing)).toBe('the optional package koffi is not installed');
  expect(withoutKoffi(new Error('no binary'))).toBe('the package koffi does not load: no binary');
});
