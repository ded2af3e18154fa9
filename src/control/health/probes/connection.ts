import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ProbeTls } from '../../../config/config.ts';
import type { Address } from '../../../core/contract.ts';

/** Connects, lets `use` talk, and closes; the signal destroys the connection in whatever state it is. */
export async function overTcp(
  address: Address,
  signal: AbortSignal,
  use: (socket: Socket) => Promise<void>,
): Promise<void> {
  await over(connect(endpoint(address)), 'connect', signal, use);
}

/** The same after a TLS handshake, which verifies the other end unless told not to. */
export async function overTls(
  address: Address,
  { servername, verify, ca }: ProbeTls,
  signal: AbortSignal,
  use: (socket: Socket) => Promise<void>,
): Promise<void> {
  const socket = connectTls({
    ...endpoint(address),
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca }),
    rejectUnauthorized: verify,
  });
  await over(socket, 'secureConnect', signal, use);
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

function endpoint(address: Address): NetConnectOpts {
  return 'path' in address ? { path: address.path } : { host: address.host, port: address.port };
}
