/**
 * What Node offers nothing for, on sockets of its own: by the C library, wherever the uring driver's bridge to it is
 * installed, and not at all elsewhere.
 */
import type { Server, Socket } from 'node:net';
import { loadLibc } from '../uring/libc.ts';
import { Sockets } from '../uring/sockets.ts';

let loaded: { readonly sockets: Sockets | undefined } | undefined;

/** Undefined where the C library can't be called. */
export function systemSockets(): Sockets | undefined {
  loaded ??= { sockets: load() };
  return loaded.sockets;
}

function load(): Sockets | undefined {
  try {
    return new Sockets(loadLibc());
  } catch {
    return undefined;
  }
}

/** In none of Node's manuals, and the same in every Node from 20 to 26. Undefined once it is closed. */
export function descriptorOf(owner: Server | Socket): number | undefined {
  const handle = '_handle' in owner ? owner._handle : undefined;
  const isOpen = typeof handle === 'object' && handle !== null && 'fd' in handle;
  return isOpen && typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
