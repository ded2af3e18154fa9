import net from 'node:net';
import type { Address } from '../../src/core/contract.ts';
import { IPPROTO_TCP } from '../../src/drivers/uring/kernel.ts';
import type { Libc } from '../../src/drivers/uring/libc.ts';
import { Sockets } from '../../src/drivers/uring/sockets.ts';

/** Connected as it sees itself; its peer learns that with the first bytes, or 200 ms later. */
export function slowToAcknowledge(libc: Libc, address: Address): net.Socket {
  const sockets = new Sockets(libc);
  const sockaddr = sockets.encode(address);
  const fd = sockets.open(sockaddr);
  libc.setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, Int32Array.of(0), 4);
  if (libc.connect(fd, sockaddr, sockaddr.length) !== 0) throw new Error(`connect: ${libc.errno()}`);
  const socket = new net.Socket({ fd, allowHalfOpen: true });
  return socket.on('error', () => {});
}

const TCP_QUICKACK = 12;
