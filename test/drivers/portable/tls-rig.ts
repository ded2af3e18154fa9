/** Listeners with TLS and clients that speak it, for tests of what is TLS's own. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { Address } from '../../../src/core/contract.ts';
import type { ListenerTls } from '../../../src/core/plan.ts';
import { createPortableDriver } from '../../../src/drivers/portable/driver.ts';
import type { TicketKeys } from '../../../src/drivers/ticket-keys.ts';
import { echo, inTime, readAll } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';
import { selfSigned } from '../../support/certificate.ts';

export const certificate = selfSigned('service.example');

export function listenerTls(change: Partial<ListenerTls> = {}): ListenerTls {
  return {
    certificates: [certificate],
    minVersion: 'TLSv1.2',
    alpn: [],
    clientAuth: 'off',
    clientCa: undefined,
    handshakeTimeoutMs: 5_000,
    ...change,
  };
}

/** A rig whose clients are secured as they come, and dialed to an echo once they are; others are closed. */
export async function tlsRig(
  listener: ListenerTls,
  ticketKeys?: TicketKeys,
): Promise<{ readonly rig: Rig; readonly address: Address }> {
  const rig = new Rig(createPortableDriver, { ...(ticketKeys && { ticketKeys }) });
  const target = await rig.backend(echo);
  rig.target = undefined;
  rig.onEvent = (event) => {
    const { session } = event;
    if (event.kind === 'accepted') rig.execute({ kind: 'secure', session, tls: listener });
    if (event.kind === 'secured') rig.dial(session, target);
    if (event.kind === 'secure-failed') rig.close(session, 'fin');
    if (event.kind === 'dial-failed') rig.close(session, 'reset');
  };
  return { rig, address: await rig.listen() };
}

/** A client whose handshake is done; rejects with what it failed of. */
export async function secureClient(
  rig: Rig,
  address: Address,
  options: tls.ConnectionOptions = {},
): Promise<tls.TLSSocket> {
  const socket = await rig.client(address);
  const client = tls.connect({
    rejectUnauthorized: false,
    servername: 'service.example',
    ...options,
    socket,
  });
  client.on('error', () => {});
  await inTime(once(client, 'secureConnect'), 'handshake');
  return client;
}

/** What an echo gives back to a client. */
export async function echoed(client: Socket, text: string): Promise<string> {
  client.end(text);
  return (await readAll(client)).toString();
}

/** What a client says first, whole. */
export function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: (chunk: Buffer) => resolve(chunk) });
    tls.connect({ socket, servername: 'service.example' }).on('error', () => {});
  });
}
