/** Binding a server to an address, with what `server.listen` leaves to its caller. */

import { once } from 'node:events';
import type net from 'node:net';
import type { Address } from '../../core/contract.ts';
import type { ListenOptions } from '../driver.ts';
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
    // `::` means every address. Where IPv6 is off, that is every IPv4 address.
    if (address.host !== '::' || !withoutIpv6.has(codeOf(error))) throw error;
    await bind(server, { ...address, host: '0.0.0.0' }, shared);
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return address;
  return { host: bound.address, port: bound.port };
}

const withoutIpv6 = new Set<unknown>(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

async function bind(
  server: net.Server,
  address: Exclude<Address, { readonly path: string }>,
  shared: boolean,
): Promise<void> {
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

/** The kernel takes the smaller of this and its own limit (`net.core.somaxconn`, 4096 as a rule). */
const backlog = 4096;

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
