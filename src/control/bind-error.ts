/** Why an address can't be bound, also where the system would not say so. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { formatAddress } from '../config/addresses.ts';
import { obstacleAt } from '../config/unix-paths.ts';
import type { Address } from '../core/contract.ts';
import { systemSockets } from '../drivers/portable/system-sockets.ts';
import { errorCode } from '../drivers/shared.ts';

/** An address could not be bound, and nothing has changed. The message says whose, why, and what would do. */
export class BindError extends Error {
  /** `who` begins the sentence, as in `Listener "web"`; `cause` is what the system said. */
  constructor(who: string, address: Address, cause: NodeJS.ErrnoException) {
    const wantsZone = cause.code === 'EINVAL' && 'host' in address && /^fe[89ab].*:/.test(address.host);
    const ofPath = 'path' in address ? problemOfPath(address.path, cause.code) : undefined;
    const problem = wantsZone ? withoutZone : (ofPath ?? problems[cause.code ?? ''] ?? cause.message);
    super(`${who} can't bind ${formatAddress(address)}: ${problem}`, { cause });
  }
}

const withoutZone = 'a link-local address takes the interface that it belongs to, as in "[fe80::1%eth0]:80"';

const problems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use; stop what listens there or choose another port',
  EACCES: 'permission denied; choose a port above 1023 or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine has no such address',
};

/** Looks at the path itself, since one errno has several causes. */
function problemOfPath(path: string, code: string | undefined): string | undefined {
  const obstacle = obstacleAt(path);
  if (obstacle !== undefined) return `${obstacle.found}; ${obstacle.remedy}`;
  if (code === 'EADDRINUSE') return 'another process listens there; stop it or choose another path';
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return undefined;
  return `this user may not create files in ${dirname(path)}; choose another folder or change its permissions`;
}

/**
 * Rejects with EADDRINUSE where somebody listens. Sockets that share a port (SO_REUSEPORT) are let in beside those of
 * any process of the same user, which would then take each other's connections. It binds and does not listen, for a
 * client that came meanwhile would be reset; only where the C library can't be called does it listen for a moment.
 */
export async function refuseTakenPort(address: Address): Promise<void> {
  if ('path' in address || address.port === 0) return;
  const sockets = systemSockets();
  try {
    if (sockets !== undefined) sockets.tryBinding(address);
    else await listenOnce(address);
  } catch (error) {
    // The workers will report any other error.
    if (errorCode(error) === 'EADDRINUSE') throw error;
  }
}

async function listenOnce(address: Address): Promise<void> {
  const server = createServer();
  const listening = once(server, 'listening');
  server.listen({ ...address, exclusive: true });
  await listening;
  server.close();
  await once(server, 'close');
}
