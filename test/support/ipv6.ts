import { once } from 'node:events';
import { createServer } from 'node:net';

/** Whether ::1 can be bound: for tests that are skipped without it. */
export const hasIpv6 = await canBind('::1');

async function canBind(host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(0, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
