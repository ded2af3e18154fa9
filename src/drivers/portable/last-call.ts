/**
 * Before a listening socket is closed whose address another one has, it is to begin no further handshake: clients that
 * ask for one are not answered and ask again a second later, those that have begun one have time to end it, and the
 * queue is empty when the socket is closed, which would reset all of them. Node offers nothing for it. The C library
 * does, wherever the uring driver runs, and only there do two drivers hand an address to each other.
 */
import type { Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { handshakeMs } from '../shared.ts';
import { loadLibc } from '../uring/libc.ts';
import { Sockets } from '../uring/sockets.ts';

export interface LastCall {
  /** Fulfilled once the handshakes that had begun are over. */
  readonly over: Promise<unknown>;
  /** Begins handshakes again. */
  cancel(): void;
}

/** Undefined where the C library can't be called. */
export function callLast(server: Server): LastCall | undefined {
  const fd = descriptorOf(server);
  if (fd === undefined) return undefined;
  let sockets: Sockets;
  try {
    sockets = new Sockets(loadLibc());
  } catch {
    return undefined;
  }
  sockets.refuseHandshakes(fd);
  return { over: setTimeout(handshakeMs), cancel: () => sockets.admitHandshakes(fd) };
}

/** In none of Node's manuals, and the same in every Node from 20 to 26. */
function descriptorOf(server: Server): number | undefined {
  const handle = '_handle' in server ? server._handle : undefined;
  const isOpen = typeof handle === 'object' && handle !== null && 'fd' in handle;
  return isOpen && typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
