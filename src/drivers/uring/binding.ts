/** Sockets that listen: bound to an address, whatever stands in the way of that and may be removed. */
import { chmodSync, renameSync } from 'node:fs';
import type { Address } from '../../core/contract.ts';
import type { ListenOptions } from '../driver.ts';
import { errorCode, withoutIpv6 } from '../shared.ts';
import { removeSocketFile, socketFileAt, temporaryName } from '../unix-path.ts';
import * as kernel from './kernel.ts';
import type { Libc } from './libc.ts';
import type { Sockets } from './sockets.ts';

/** The descriptor of a socket that listens on the address. Throws a system error. */
export function bindTo(
  asked: Address,
  { shared, replaces }: ListenOptions,
  sockets: Sockets,
  libc: Libc,
): number {
  if ('path' in asked && replaces) return bindInPlace(asked, sockets);
  const sockaddr = sockets.encode(asked);
  try {
    return sockets.listen(sockaddr, shared, modeSetter(asked));
  } catch (error) {
    if ('path' in asked) {
      if (errorCode(error) !== 'EADDRINUSE' || !removedStale(asked.path, sockaddr, libc)) throw error;
      return sockets.listen(sockaddr, shared, modeSetter(asked));
    }
    const instead = withoutIpv6(asked, error);
    if (instead === undefined) throw error;
    return sockets.listen(sockets.encode(instead), shared);
  }
}

type UnixAddress = Extract<Address, { readonly path: string }>;

/** To be called when the socket has its name and does not listen yet, so that nobody can connect before. */
function modeSetter(asked: Address): (() => void) | undefined {
  if (!('path' in asked) || asked.mode === undefined) return undefined;
  const { path, mode } = asked;
  return () => chmodSync(path, mode);
}

/** Takes the name from the process that has it without a moment in which nobody has. */
function bindInPlace({ path, mode }: UnixAddress, sockets: Sockets): number {
  const temporary = temporaryName(path);
  const setMode = mode === undefined ? undefined : modeSetter({ path: temporary, mode });
  const fd = sockets.listen(sockets.encode({ path: temporary }), false, setMode);
  renameSync(temporary, path);
  return fd;
}

/** Whether a name was in the way and is gone. A socket that somebody listens on, and what is no socket, stays. */
function removedStale(path: string, sockaddr: Uint8Array, libc: Libc): boolean {
  const found = socketFileAt(path);
  if (found === undefined || !refuses(sockaddr, libc)) return false;
  removeSocketFile(found);
  return true;
}

/**
 * Whether nobody listens there. Only a refusal proves that. It must not block: where the queue of a process that hangs
 * is full, it is EAGAIN at once (connect(2)).
 */
function refuses(sockaddr: Uint8Array, libc: Libc): boolean {
  const fd = libc.socket(kernel.AF_UNIX, kernel.SOCK_STREAM | kernel.SOCK_CLOEXEC | kernel.SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const isRefused = libc.connect(fd, sockaddr, sockaddr.length) < 0 && libc.errno() === kernel.ECONNREFUSED;
  libc.close(fd);
  return isRefused;
}
