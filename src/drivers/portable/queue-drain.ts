/**
 * Drains the accept queue of a listening socket that is about to be closed: closing resets the clients that are in the
 * queue or about to enter it. The name of a unix socket is removed first. For a TCP socket the kernel is told to pass
 * it by, so that new clients go to another socket, unless one has its address already or will right after; then it
 * begins no further handshake, and those under way have time to end: see `../uring/listening.ts`. Node offers nothing
 * for TCP. The C library does, wherever the uring driver runs; elsewhere a client that comes in the last moment is
 * reset.
 */
import type { Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { handshakeMs, othersMs } from '../shared.ts';
import { removeName } from '../unix-path.ts';
import { descriptorOf, systemSockets } from './system-sockets.ts';

export interface QueueDrain {
  /** Fulfilled once no client comes any more. */
  readonly over: Promise<unknown>;
  /**
   * Lets clients come again. Returns whether they can; if not, a further server is to listen once this one has left.
   */
  cancel(): boolean;
}

export function drainQueue(server: Server, isSucceeded: boolean): QueueDrain {
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
