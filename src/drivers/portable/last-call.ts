/**
 * Before a listening socket is closed, which resets all that wait in its queue or are about to come into it, nobody is to
 * come any more. The name of a unix socket is removed first. A TCP socket is passed by for those who come from now on,
 * unless another one has its address or will right after; then it begins no further handshake, and those who have begun
 * one have time to end it: see `../uring/listening.ts`. Node offers nothing for TCP. The C library does, wherever the
 * uring driver runs; elsewhere a client that comes in the last moment is reset.
 */
import type { Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { handshakeMs, othersMs } from '../shared.ts';
import { removeName } from '../unix-path.ts';
import { descriptorOf, systemSockets } from './system-sockets.ts';

export interface LastCall {
  /** Fulfilled once no client comes any more. */
  readonly over: Promise<unknown>;
  /** Lets clients come again. Returns whether they can; if not, a further server is to listen once this one has left. */
  cancel(): boolean;
}

export function callLast(server: Server, isSucceeded: boolean): LastCall {
  if (removeName(server)) return { over: Promise.resolve(), cancel: () => false };
  const sockets = systemSockets();
  const fd = descriptorOf(server);
  if (sockets === undefined || fd === undefined) return { over: Promise.resolve(), cancel: () => true };
  const isPassedBy = !isSucceeded && sockets.passBy(fd);
  if (!isPassedBy) sockets.refuseHandshakes(fd);
  let isCancelled = false;
  const over = async () => {
    if (isPassedBy) await setTimeout(othersMs);
    // By now another descriptor may have its number.
    if (isPassedBy && !isCancelled && descriptorOf(server) === fd) sockets.refuseHandshakes(fd);
    await setTimeout(handshakeMs);
  };
  return {
    over: over(),
    cancel: () => {
      if (isPassedBy && !sockets.passByNoMore(fd)) return false;
      isCancelled = true;
      sockets.admitHandshakes(fd);
      return true;
    },
  };
}
