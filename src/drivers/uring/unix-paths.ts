/** A unix socket outlives the process that listened on it: who comes next removes what nobody listens on any more. */
import { lstatSync, unlinkSync } from 'node:fs';
import { ECONNREFUSED } from './kernel.ts';
import type { Libc } from './libc.ts';

/** Whether a name was in the way and is gone. A socket that answers, and what is no socket, stays. */
export function removeStaleSocket(libc: Libc, path: string, sockaddr: Uint8Array, fd: number): boolean {
  const isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  if (!isSocket || libc.connect(fd, sockaddr, sockaddr.length) === 0 || libc.errno() !== ECONNREFUSED) {
    return false;
  }
  unlinkSync(path);
  return true;
}

export function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Someone else has removed it.
  }
}
