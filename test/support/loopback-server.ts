/**
 * Starts a server on a loopback port of the system's choosing, or on a unix socket, and closes it with its connections.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What was started in a test; it ends with the test. */
export interface StartedServer {
  readonly host: string;
  readonly port: number;
  /** Connections that are open now. */
  readonly open: ReadonlySet<Socket>;
}

export async function listening(server: Server, host = '127.0.0.1'): Promise<StartedServer> {
  const open = track(server);
  server.listen(0, host);
  await once(server, 'listening');
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  return { host, port, open };
}

/** The path of the socket, in a directory of its own. */
export async function listeningOnPath(server: Server): Promise<{ readonly path: string }> {
  track(server);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'socket');
  server.listen(path);
  await once(server, 'listening');
  return { path };
}

function track(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return open;
}
