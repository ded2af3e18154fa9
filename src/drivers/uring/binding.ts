/** Sockets that listen: bound to an address, whatever stands in the way of that and may be removed. */
import type { Address } from '../../core/contract.ts';
import type { Libc } from './libc.ts';
import type { Sockets } from './sockets.ts';
import { removeStaleSocket } from './unix-paths.ts';

/** The descriptor of a socket that listens on the address. Throws a system error. */
export function bindTo(asked: Address, shared: boolean, sockets: Sockets, libc: Libc): number {
  const sockaddr = sockets.encode(asked);
  try {
    return sockets.listen(sockaddr, shared);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if ('path' in asked) {
      if (code !== 'EADDRINUSE' || !removedStale(asked.path, sockaddr, sockets, libc)) throw error;
      return sockets.listen(sockaddr, shared);
    }
    // `::` means every address. Where IPv6 is off, that is every IPv4 address.
    if (asked.host !== '::' || !withoutIpv6.has(code)) throw error;
    return sockets.listen(sockets.encode({ ...asked, host: '0.0.0.0' }), shared);
  }
}

function removedStale(path: string, sockaddr: Uint8Array, sockets: Sockets, libc: Libc): boolean {
  const fd = sockets.open(sockaddr);
  if (fd < 0) return false;
  try {
    return removeStaleSocket(libc, path, sockaddr, fd);
  } finally {
    sockets.close(fd);
  }
}

const withoutIpv6 = new Set<unknown>(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);
