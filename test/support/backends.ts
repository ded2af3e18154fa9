/** Small servers to put behind the proxy, and clients to put in front of it. */
import { once } from 'node:events';
import {
  type AddressInfo,
  connect,
  createServer,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net';
import { freePort } from '../../bench/stage/free-ports.ts';

export interface TestBackend {
  readonly port: number;
  /** `127.0.0.1:port`, as a configuration has it. */
  readonly address: string;
  readonly server: Server;
  /** Connections that are open now, all there ever were, and the most at once. */
  readonly open: ReadonlySet<Socket>;
  readonly total: number;
  readonly most: number;
  close(): Promise<void>;
}

/**
 * A server that does with each connection as it is told; errors of its sockets are nobody's concern. Where it is not
 * told where to listen, it has a port that nobody is given once it has closed.
 */
export async function startBackend(
  serve: (socket: Socket) => void,
  where?: ListenOptions,
): Promise<TestBackend> {
  const open = new Set<Socket>();
  const seen = { total: 0, most: 0 };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    seen.total++;
    seen.most = Math.max(seen.most, open.size);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    serve(socket);
  });
  server.listen(where ?? { host: '127.0.0.1', port: await freePort() });
  await once(server, 'listening');
  const port = where?.path === undefined ? (server.address() as AddressInfo).port : 0; // A TCP server has one.
  return {
    port,
    address: where?.path === undefined ? `127.0.0.1:${port}` : `unix:${where.path}`,
    server,
    open,
    get total() {
      return seen.total;
    },
    get most() {
      return seen.most;
    },
    async close() {
      for (const socket of open) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends back what it gets, and finishes when the client does. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Says its name, and finishes when the client does. */
export function named(name: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(name);
    socket.on('end', () => socket.end()).resume();
  };
}

/** A client that is connected; its errors are left to `ending`. */
export async function connected(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The next bytes that come, as text; empty at the end. */
export function nextText(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (text: string): void => {
      socket.off('data', onData).off('end', onEnd).off('error', reject).off('close', onEnd);
      resolve(text);
    };
    const onData = (bytes: Buffer): void => {
      socket.pause();
      done(bytes.toString());
    };
    const onEnd = (): void => done('');
    socket.on('data', onData).on('end', onEnd).on('error', reject).on('close', onEnd);
    socket.resume();
  });
}

/** How a client's connection ends, seen by itself: all that came, and whether a reset ended it. */
export function ending(socket: Socket): Promise<{ readonly text: string; readonly reset: boolean }> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve({ text: '', reset: socket.errored !== null });
    let text = '';
    let reset = false;
    socket
      .on('data', (bytes: Buffer) => {
        text += bytes.toString();
      })
      .on('error', () => {
        reset = true;
      })
      .on('end', () => socket.end())
      .on('close', () => resolve({ text, reset }));
    socket.resume();
  });
}

/** Connects, and tells how that ended without sending anything. */
export function visit(port: number): Promise<{ readonly text: string; readonly reset: boolean }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  return ending(socket);
}

/** The next bytes until there are so many of them, as text; fewer where the end comes first. */
export async function textOf(socket: Socket, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const next = await nextText(socket);
    if (next === '') break;
    text += next;
  }
  return text;
}

/** Reads all that comes and throws it away; fulfils with how many bytes there were before the end. */
export function drained(socket: Socket): Promise<number> {
  return new Promise((resolve) => {
    let length = 0;
    socket
      .on('data', (bytes: Buffer) => {
        length += bytes.length;
      })
      .on('end', () => resolve(length))
      .on('close', () => resolve(length));
    socket.resume();
  });
}

/** The next connection that the backend accepts. */
export async function arrival({ server }: TestBackend): Promise<Socket> {
  const [socket]: unknown[] = await once(server, 'connection');
  return socket as Socket; // What a net.Server gives with `connection`.
}
