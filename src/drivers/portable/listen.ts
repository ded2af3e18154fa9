/** Binding a server to an address, with what `server.listen` leaves to its caller. */

import { once } from 'node:events';
import type net from 'node:net';
import type { Address } from '../../core/contract.ts';
import type { ListenOptions } from '../driver.ts';
import { backlog, withoutIpv6 } from '../shared.ts';
import { listenOnPath } from '../unix-path.ts';

/** Fulfilled with the address as it was bound; rejects with the system's error. */
export async function listen(
  server: net.Server,
  address: Address,
  { shared, replaces }: ListenOptions,
): Promise<Address> {
  if ('path' in address) {
    await listenOnPath(server, address.path, {
      backlog,
      exclusive: true,
      replaces,
      mode: address.mode,
    });
    return address;
  }
  try {
    await bind(server, address, shared);
  } catch (error) {
    const instead = withoutIpv6(address, error);
    if (instead === undefined) throw error;
    await bind(server, instead, shared);
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return address;
  return { host: bound.address, port: bound.port };
}

async function bind(server: net.Server, address: Address, shared: boolean): Promise<void> {
  const listening = once(server, 'listening');
  // Node 20 doesn't know `reusePort`; there a second thread on the same port gets EADDRINUSE.
  const options: net.ListenOptions & { readonly reusePort: boolean } = {
    ...address,
    backlog,
    exclusive: true,
    reusePort: shared,
  };
  server.listen(options);
  await listening;
}
