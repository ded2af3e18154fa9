/** Listeners with TLS and clients that speak it, for tests of what is TLS's own. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterAll, expect, onTestFinished } from 'vitest';
import type { Address, LinkId } from '../../../src/core/contract.ts';
import type { ListenerTls } from '../../../src/core/plan.ts';
import { ClientHelloReader } from '../../../src/core/wire/client-hello.ts';
import { TicketKeys } from '../../../src/drivers/ticket-keys.ts';
import type { DriverName } from '../../conformance/messages.ts';
import { echo, inTime, readAll } from '../../conformance/peers.ts';
import { DriverThread, Rig, type RigOptions } from '../../conformance/rig.ts';
import { listenerTls as defaults } from '../../core/harness.ts';
import { selfSigned } from '../../support/certificate.ts';

/** As those of the workers of one process. */
const commonTicketKeys = new TicketKeys();

export const certificate = selfSigned('service.example');

export function listenerTls(change: Partial<ListenerTls> = {}): ListenerTls {
  return { ...defaults, certificates: [certificate], ...change };
}

/** Threads whose driver has closed: to start one takes longer than most tests. */
const idleThreads: DriverThread[] = [];
afterAll(() => Promise.all(idleThreads.map((thread) => thread.end())));

/** A rig that ends with the test. */
export async function rigOfTest(driver: DriverName, options: RigOptions = {}): Promise<Rig> {
  const thread = idleThreads.pop() ?? (await DriverThread.start());
  const rig = await Rig.start(driver, options, thread);
  onTestFinished(async () => {
    await rig.dispose();
    expect(rig.violations).toEqual([]);
    idleThreads.push(thread);
  });
  return rig;
}

/** A rig whose clients are secured as they come, and dialed to an echo once they are; others are closed with FIN. */
export async function tlsRig(
  driver: DriverName,
  listener: ListenerTls,
  ticketKeys: TicketKeys = commonTicketKeys,
): Promise<{ readonly rig: Rig; readonly address: Address }> {
  const rig = await rigOfTest(driver, { ticketKeys: ticketKeys.memory });
  const target = await rig.backend(echo);
  rig.target = undefined;
  rig.onEvent = (event) => {
    if (event.kind === 'accepted') rig.inspect(event.link, 0);
    if (event.kind === 'received') startTlsOnceHeard(rig, event, listener);
    if (event.kind === 'tls-established') rig.dial(event.link, target);
    if (event.kind === 'connect-failed' && event.client !== undefined) rig.close(event.client, 'reset');
    if (event.kind === 'tls-failed') rig.close(event.link, 'fin');
  };
  return { rig, address: await rig.listen() };
}

/** As the core does: the name in the hello picks the certificate. */
function startTlsOnceHeard(
  rig: Rig,
  { link, bytes }: { readonly link: LinkId; readonly bytes: Uint8Array },
  tls: ListenerTls,
): void {
  const hello = new ClientHelloReader().read(bytes);
  if (hello.state === 'incomplete') return rig.inspect(link, bytes.length);
  startTls(rig, link, tls, hello.state === 'complete' ? hello.sni : undefined);
}

export function startTls(rig: Rig, link: LinkId, tls: ListenerTls, serverName?: string): void {
  rig.execute({ kind: 'start-tls', link, as: 'server', tls, serverName });
}

/** A client that trusts whatever it is shown. */
export async function tlsClient(
  rig: Rig,
  address: Address,
  options: tls.ConnectionOptions = {},
): Promise<tls.TLSSocket> {
  const socket = await rig.client(address);
  return tls.connect({ rejectUnauthorized: false, servername: 'service.example', ...options, socket });
}

/** A client whose handshake is done; rejects with what it failed of. */
export async function secureClient(
  rig: Rig,
  address: Address,
  options: tls.ConnectionOptions = {},
): Promise<tls.TLSSocket> {
  const client = await tlsClient(rig, address, options);
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
