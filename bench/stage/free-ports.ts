/**
 * Ports that nobody listens at: for a program that is yet to start, a server that closes and comes back, and dials that
 * must be refused. They lie below those that the system hands out itself, so no client and no server on port 0 takes
 * one in between; and each process has blocks of its own, so no other process that asks here is given one of them.
 */
import { createSocket } from 'node:dgram';
import { type EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const lowest = 12_000;
/** Linux's default, which lies below that of others. */
const usualEnd = 32_768;
const blockSize = 400;

/** A port that this process has not been given before, free at every address of this host. */
export async function freePort(): Promise<number> {
  return (await ports.next()).value;
}

/** As many, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

const ports = ownPorts(await ownBlock());

async function* ownPorts(block: number): AsyncGenerator<number, never> {
  for (let first = block; ; first = await ownBlock()) {
    for (let port = first + 1; port < first + blockSize; port++) if (await isFree(port)) yield port;
  }
}

/** The first port of a block that no other process has. */
async function ownBlock(): Promise<number> {
  const blocks = Math.floor((systemsFirst() - lowest) / blockSize);
  const some = Math.floor(Math.random() * blocks);
  for (let tries = 0; tries < blocks; tries++) {
    const first = lowest + ((some + tries) % blocks) * blockSize;
    if (await isOurs(first)) return first;
  }
  throw new Error(`Other processes have all ports from ${lowest} on`);
}

/** Where the ports begin that the system hands out itself. */
function systemsFirst(): number {
  try {
    const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    return first < lowest + blockSize ? usualEnd : first;
  } catch {
    return usualEnd;
  }
}

/** Whoever has bound the UDP port of its number has the block, until the process ends. */
async function isOurs(block: number): Promise<boolean> {
  const claim = createSocket('udp4').bind(block, '127.0.0.1');
  if (!(await isBound(claim))) return false;
  claim.unref();
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port); // without a host: IPv6 and IPv4 where there are both
  if (!(await isBound(server))) return false;
  await once(server.close(), 'close');
  return true;
}

async function isBound(socket: EventEmitter): Promise<boolean> {
  try {
    await once(socket, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}
