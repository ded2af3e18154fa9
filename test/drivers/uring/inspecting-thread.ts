/** The thread of `inspection.test.ts`: a driver, and a brain that looks at clients' first bytes and forgets some. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Address, LinkEvent, LinkId } from '../../../src/core/contract.ts';
import { monotonicMs } from '../../../src/dataplane/clock.ts';
import { DescriptorBudget } from '../../../src/drivers/descriptor-budget.ts';
import type { DriverEvent, DriverHost } from '../../../src/drivers/driver.ts';
import { TicketKeys } from '../../../src/drivers/ticket-keys.ts';
import { createUringDriver } from '../../../src/drivers/uring/driver.ts';
import { seeded } from '../../support/seeded.ts';
import { headBehind, headBytes, isBehind } from '../../support/unruly.ts';

export interface Task {
  readonly target: Address;
  readonly seed: number;
}

export interface Report {
  readonly dials: number;
  readonly broken: readonly string[];
  readonly held: { readonly links: number; readonly buffers: number };
}

/** One client, and its backend's link once it is dialed. */
interface Client {
  readonly link: LinkId;
  backend: LinkId | undefined;
  isConnected: boolean;
  isJoined: boolean;
  asked: boolean;
  hasFinished: boolean;
  /** Of the stream that is left. */
  head?: Uint8Array;
}

// Only the test starts this file.
const { target, seed } = workerData as Task;
const random = seeded(seed);
const broken: string[] = [];
const clients = new Map<LinkId, Client>();
const backends = new Map<LinkId, Client | undefined>();
let dials = 0;

const host: DriverHost = {
  emit: handle,
  deadline: () => {},
  receive: () => {
    while (parentPort !== null && receiveMessageOnPort(parentPort) !== undefined) report();
  },
  bufferBytes: 64 * 1024 * 1024,
  descriptors: new DescriptorBudget(new Int32Array(1), 0),
  ticketKeys: new TicketKeys(),
  now: monotonicMs,
  countBytes: () => {},
  buffersHold: () => {},
};
const driver = createUringDriver(host);
parentPort?.on('message', report);
void driver
  .listen(0, { host: '127.0.0.1', port: 0 }, { shared: false })
  .then((address) => parentPort?.postMessage({ address, wakeFd: driver.wakeFd }));

function report(): void {
  const { held } = driver;
  parentPort?.postMessage({ dials, broken, held } satisfies Report);
}

function handle(event: DriverEvent): void {
  if (event.kind === 'exhausted' || event.kind === 'turned-away') return;
  const { link } = event;
  if (event.kind === 'accepted') {
    clients.set(link, {
      link,
      backend: undefined,
      isConnected: false,
      isJoined: false,
      asked: true,
      hasFinished: false,
    });
    return driver.execute({ kind: 'inspect', link, beyond: headBytes - 1 });
  }
  if (link % 2 === 1) return ofBackend(event);
  const client = clients.get(link);
  if (client === undefined) return void broken.push(`${event.kind} of a client that is none`);
  if (event.kind === 'received') return received(client, event.bytes);
  if (event.kind === 'closed') {
    clients.delete(link);
    const { backend, isJoined } = client;
    // Once it is over its number may be another client's.
    if (backend !== undefined && !isJoined && backends.get(backend) === client)
      driver.execute({ kind: 'close', link: backend, how: 'reset' });
    return;
  }
  if (event.kind !== 'half-closed' || client.backend !== undefined) return;
  client.hasFinished = true;
  if (client.head !== undefined) return dial(client);
  driver.execute({ kind: 'close', link, how: random() < 0.5 ? 'fin' : 'reset' });
}

function ofBackend(event: LinkEvent): void {
  const { link: backend } = event;
  const client = backends.get(backend);
  if (event.kind === 'closed' || event.kind === 'connect-failed') backends.delete(backend);
  if (client === undefined || client.backend !== backend) return;
  if (event.kind === 'connect-failed') driver.execute({ kind: 'close', link: client.link, how: 'reset' });
  if (event.kind !== 'connected') return;
  if (random() < 0.2) {
    driver.execute({ kind: 'close', link: backend, how: random() < 0.5 ? 'fin' : 'reset' });
    return dial(client);
  }
  client.isJoined = true;
  driver.execute({ kind: 'join', client: client.link, backend, slot: 0, first: client.head });
}

function received(client: Client, bytes: Uint8Array): void {
  const { link } = client;
  if (!client.asked || client.backend !== undefined || client.hasFinished)
    return void broken.push('bytes that nobody asked for, or behind the FIN');
  client.asked = false;
  let rest = bytes;
  if (client.head === undefined) {
    client.head = bytes.slice(0, headBytes);
    const first = Math.floor(random() * (headBytes + 1));
    for (const part of [first, headBytes - first]) driver.execute({ kind: 'discard', link, bytes: part });
    rest = bytes.subarray(headBytes);
  }
  if (!isBehind(client.head, rest)) broken.push(`${rest.length} bytes shown wrong`);
  const discarded = random() < 0.5 ? Math.floor(random() * (rest.length + 1)) : 0;
  driver.execute({ kind: 'discard', link, bytes: discarded });
  client.head = headBehind(client.head, discarded);
  const left = rest.length - discarded;
  if (random() < 0.3) return dial(client);
  client.asked = true;
  const more = random() < 0.5 ? 0 : Math.floor(random() * 40_000);
  driver.execute({ kind: 'inspect', link, beyond: random() < 0.3 ? 0 : Math.min(left + more, 60_000) });
}

function dial(client: Client): void {
  let backend = 1;
  while (backends.has(backend)) backend += 2;
  backends.set(backend, client);
  client.backend = backend;
  // Looked at no more: what was asked for is withdrawn by the join, and must not come before.
  driver.execute({ kind: 'inspect', link: client.link, beyond: Number.MAX_SAFE_INTEGER });
  dials++;
  driver.execute({ kind: 'connect', link: backend, address: target });
}
