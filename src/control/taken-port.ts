/** Whether an address is another's: workers that share their ports would not be told. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Address } from '../core/contract.ts';

/**
 * Rejects with EADDRINUSE where somebody listens. Sockets that share a port (SO_REUSEPORT) are let in beside those of
 * any process of the same user, which would then take each other's connections.
 */
export async function refuseTakenPort(address: Address): Promise<void> {
  if ('path' in address || address.port === 0) return;
  const server = createServer();
  const listening = once(server, 'listening');
  server.listen({ ...address, exclusive: true });
  try {
    await listening;
  } catch (error) {
    // Whatever else is wrong, the workers will say.
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') throw error;
    return;
  }
  server.close();
  await once(server, 'close');
}
