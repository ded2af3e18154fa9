/**
 * Gives accepted sockets the `onread` option, which `node:net` documents for sockets that one makes oneself
 * but offers no way to ask of a server.
 *
 * So the accepted handle is taken before the server wraps it, and the socket is made from that. Both steps are
 * undocumented, and the same in every Node from 20 to 26. They are worth it: a MiB uploaded takes 0.45 to 0.6 of
 * the CPU of a `pipe`, against 0.65 to 0.9 with a `data` listener. Wherever something looks different than
 * expected, the server is left alone and `data` listeners do the work.
 */
import net from 'node:net';
import { keepAliveDelayMs } from '../shared.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { type ReadCallback, readByEvent } from './sockets.ts';

/** Makes the socket of an accepted connection, whose bytes go to `read`; undefined if there is none after all. */
export type Open = (read: ReadCallback) => net.Socket | undefined;

/** Whether accepted sockets are made from their handles, or left as `node:net` documents them. */
export type AcceptMode = 'handles' | 'documented';

/** A server to `listen` with, before it accepts anything. */
export function createServer(): net.Server {
  return net.createServer({
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
  });
}

export interface Acceptor {
  accepted(open: Open): void;
  /** There is no descriptor or no memory for a connection; libuv tells of no other error. */
  failed(): void;
}

/** Gives every connection of a listening server to its acceptor. */
export function accept(server: net.Server, buffers: ReadBuffers, mode: AcceptMode, acceptor: Acceptor): void {
  server.on('connection', (socket) => acceptor.accepted((read) => readByEvent(socket, read)));
  server.on('error', () => acceptor.failed());
  if (mode === 'handles') acceptHandles(server, buffers, acceptor);
}

/** Takes the connections before the server does; gives back to it for good where a socket can't be made. */
function acceptHandles(server: net.Server, buffers: ReadBuffers, acceptor: Acceptor): void {
  const listening = '_handle' in server ? server._handle : undefined;
  if (!isListeningHandle(listening)) return;
  const { onconnection } = listening;
  const inherit = setForAll(listening);
  listening.onconnection = (error, handle) => {
    if (error) return acceptor.failed();
    acceptor.accepted((read) => {
      const socket = adopt(handle, buffers, read, inherit);
      if (socket !== undefined) return socket;
      listening.onconnection = onconnection;
      listening.onconnection(error, handle);
      return undefined;
    });
  };
}

interface ListeningHandle {
  onconnection(error: unknown, handle: unknown): void;
  /** TCP alone has these. Both give 0 where it is done; the delay is in seconds. */
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, delay: number): number;
}

function isListeningHandle(value: unknown): value is ListeningHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    'onconnection' in value &&
    typeof value.onconnection === 'function'
  );
}

/**
 * On Linux a connection inherits the options of the socket that it came to: set there, they save five system
 * calls for each. Returns whether they are set.
 */
function setForAll(listening: ListeningHandle): boolean {
  if (process.platform !== 'linux' || !listening.setNoDelay || !listening.setKeepAlive) return false;
  return listening.setNoDelay(true) === 0 && listening.setKeepAlive(true, keepAliveDelayMs / 1_000) === 0;
}

function adopt(
  handle: unknown,
  buffers: ReadBuffers,
  read: ReadCallback,
  optionsAreSet: boolean,
): net.Socket | undefined {
  // The types lack `onread` here, which the manual has.
  const options: net.SocketConstructorOpts & net.ConnectOpts & { readonly handle: unknown } = {
    handle,
    allowHalfOpen: true,
    onread: { buffer: buffers.next, callback: read },
  };
  try {
    const socket = new net.Socket(options);
    // A socket that has taken no handle is still waiting for one.
    if (socket.pending) return undefined;
    return optionsAreSet ? socket : socket.setNoDelay(true).setKeepAlive(true, keepAliveDelayMs);
  } catch {
    return undefined;
  }
}
