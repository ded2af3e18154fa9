/** Clients and backends of the test's own, and how to wait for what happens to them. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import type { Address } from '../../src/core/contract.ts';

const deadlineMs = 10_000;

/** What was awaited must come before a generous deadline. */
export async function inTime<T>(awaited: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No ${what} within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Something has changed; who waits looks whether it was what they wait for. */
export class Signal {
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  fire(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** For what no event tells: looks every few milliseconds, until the deadline. */
export async function eventually(claim: string, holds: () => boolean, withinMs = deadlineMs): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`Never came true: ${claim}`);
    await pause(5);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Time in which what must not come from the driver's thread would have come. */
export async function quiet(rig: {
  ask(question: { readonly what: 'held' }): Promise<unknown>;
}): Promise<void> {
  for (let rounds = 0; rounds < 5; rounds++) {
    await pause(2);
    await rig.ask({ what: 'held' });
  }
}

export async function connect(address: Address): Promise<net.Socket> {
  const socket = net.connect({ ...address, allowHalfOpen: true, noDelay: true });
  await inTime(once(socket, 'connect'), 'connection');
  return socket;
}

export async function listenOn(server: net.Server, address: Address): Promise<Address> {
  server.listen(address);
  await once(server, 'listening');
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? address : { host: bound.address, port: bound.port };
}

/** What the other side did to this socket: finished or reset. Reads on, so as to notice. */
export function fate(socket: net.Socket): Promise<'fin' | 'reset'> {
  const seen = new Promise<'fin' | 'reset'>((resolve) => {
    socket.once('end', () => {
      // libuv before 1.52 takes a reset right behind data for FIN, and a write without a byte tells them apart.
      if (!socket.writable || !socket.allowHalfOpen || socket instanceof tls.TLSSocket) resolve('fin');
      else socket.write('', (error) => resolve(error ? 'reset' : 'fin'));
    });
    socket.once('error', () => resolve('reset'));
    socket.once('close', (hadError) => resolve(hadError ? 'reset' : 'fin'));
  });
  socket.resume();
  return inTime(seen, 'end of the connection');
}

/** Everything up to FIN. */
export async function readAll(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await inTime(once(socket, 'end'), 'FIN');
  return Buffer.concat(chunks);
}

/** The next so many bytes; what came with them goes back. */
export async function readBytes(socket: net.Socket, length: number): Promise<string> {
  const read = async (): Promise<string> => {
    for (;;) {
      const bytes: Buffer | null = socket.read(length);
      if (bytes !== null) return bytes.toString('latin1');
      await once(socket, 'readable');
      // A stream that has too few says so again at once, and would keep all others from their turn.
      await new Promise(setImmediate);
    }
  };
  return inTime(read(), `${length} bytes`);
}

export function echo(socket: net.Socket): void {
  socket.pipe(socket);
}

/** Accepts, and leaves everything else to its client. */
export function idle(socket: net.Socket): void {
  socket.resume();
}
