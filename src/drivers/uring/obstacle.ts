/** What keeps io_uring from working here, as people are told. */
import { readFileSync } from 'node:fs';
import { errorCode, errorMessage } from '../shared.ts';

/** What a failure to load koffi is. */
export function withoutKoffi(error: unknown): string {
  return errorCode(error) === 'MODULE_NOT_FOUND'
    ? 'the optional package koffi is not installed'
    : `the package koffi does not load: ${errorMessage(error)}`;
}

/**
 * What a failure in the probe is. `disabled` is the content of `/proc/sys/kernel/io_uring_disabled`, where there is
 * one.
 */
export function withoutRing(error: unknown, disabled = ioUringDisabled()): string {
  if (!(error instanceof Error && 'syscall' in error))
    return `io_uring does not work here: ${errorMessage(error)}`;
  const call = String(error.syscall);
  const code = errorCode(error);
  if (!call.startsWith('io_uring_')) return ofOperation(call, code);
  switch (code) {
    case 'EPERM':
    case 'EACCES':
      return disabled === undefined || disabled === '0'
        ? `${call} is forbidden (${code}), as by the seccomp profile of a container`
        : `io_uring is turned off: kernel.io_uring_disabled is ${disabled}`;
    case 'ENOSYS':
      return `the kernel has no ${call} (ENOSYS), or a seccomp profile hides it`;
    case 'EINVAL':
      return `the kernel is older than the uring driver needs, which is 6.1: ${call} EINVAL`;
    default:
      return `${call} failed: ${code}`;
  }
}

/** To a kernel that does not know an operation it is an invalid argument. */
function ofOperation(operation: string, code: unknown): string {
  return code === 'EINVAL' || code === 'EOPNOTSUPP'
    ? `the kernel is older than the uring driver needs, which is 6.1: it has no ${operation} (${code})`
    : `${operation} failed: ${code}`;
}

/** Since Linux 6.6 (Documentation/admin-guide/sysctl/kernel.rst): 0 allows, 1 allows some, 2 allows nobody. */
function ioUringDisabled(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/io_uring_disabled', 'utf8').trim();
  } catch {
    return undefined;
  }
}
