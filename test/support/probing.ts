import { once } from 'node:events';
import { createServer } from 'node:net';
import { listening } from './loopback-server.ts';

/** Bounds a wait in a test that should never take this long. */
export function deadline(): AbortSignal {
  return AbortSignal.timeout(10_000);
}

/** A loopback port that nobody listens on. */
export async function vacantPort(): Promise<number> {
  const server = createServer();
  const { port } = await listening(server);
  server.close();
  await once(server, 'close', { signal: deadline() });
  return port;
}
