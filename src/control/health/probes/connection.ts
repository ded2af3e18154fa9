import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ProbeTls } from '../../../config/config.ts';
import type { Address } from '../../../core/contract.ts';
import { encodeLocalHeader, encodeProxyHeader, type ProxyVersion } from '../../../core/wire/proxy-writing.ts';

/** Where a probe connects to, and whether the backend expects a PROXY protocol header ahead of all bytes. */
export type ProbeAddress = Address & { readonly proxyProtocol?: ProxyVersion | 'off' };

/** Connects, lets `use` talk, and closes; the signal destroys the connection in whatever state it is. */
export async function overTcp(
  address: ProbeAddress,
  signal: AbortSignal,
  use: (socket: Socket) => Promise<void>,
): Promise<void> {
  // Without Nagle's delay, for a header is a short write of its own.
  await over(connect({ ...endpoint(address), noDelay: true }), 'connect', signal, async (socket) => {
    await introduce(socket, address.proxyProtocol ?? 'off');
    await use(socket);
  });
}

/** The same after a TLS handshake, which verifies the other end unless told not to. */
export async function overTls(
  address: ProbeAddress,
  { servername, verify, ca }: ProbeTls,
  signal: AbortSignal,
  use: (socket: Socket) => Promise<void>,
): Promise<void> {
  await overTcp(address, signal, async (plain) => {
    const socket = connectTls({
      // Of the endpoint only the host counts now: the certificate is for it where no other name is given.
      ...endpoint(address),
      socket: plain,
      ...(servername !== undefined && { servername }),
      ...(ca !== undefined && { ca }),
      rejectUnauthorized: verify,
    });
    await over(socket, 'secureConnect', signal, use);
  });
}

async function over(
  socket: Socket,
  ready: 'connect' | 'secureConnect',
  signal: AbortSignal,
  use: (socket: Socket) => Promise<void>,
): Promise<void> {
  // Whoever waits for the socket hears of an error; one that comes after the outcome is of no interest.
  socket.on('error', () => {});
  addAbortSignal(signal, socket);
  try {
    await once(socket, ready);
    await use(socket);
  } finally {
    socket.destroy();
  }
}

/**
 * Says that no client stands behind this connection. Version 1 has only UNKNOWN for that, which some servers
 * refuse, so it announces the probe's own ends where they can be said.
 */
async function introduce(socket: Socket, version: ProxyVersion | 'off'): Promise<void> {
  if (version === 'off') return;
  const header = version === 'v1' ? encodeProxyHeader('v1', endsOf(socket)) : encodeLocalHeader('v2');
  await new Promise<void>((resolve, reject) => {
    socket.write(header, (error) => (error ? reject(error) : resolve()));
  });
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket) {
  return {
    client: { address: localAddress ?? 'unix', port: localPort ?? 0 },
    destination: { address: remoteAddress ?? 'unix', port: remotePort ?? 0 },
  };
}

function endpoint(address: Address): NetConnectOpts {
  return 'path' in address ? { path: address.path } : { host: address.host, port: address.port };
}
