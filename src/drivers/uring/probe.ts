/**
 * Whether the driver can run here, found out by doing: a connection over loopback with every operation that the
 * driver uses. The kernel's version would say little: containers forbid io_uring, distributions carry changes back.
 */
import { writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { Buffers, type Chunk, largeGroup, smallGroup } from './buffers.ts';
import * as kernel from './kernel.ts';
import { type Libc, loadLibc, systemError } from './libc.ts';
import { withoutKoffi, withoutRing } from './obstacle.ts';
import { Ring } from './ring.ts';
import { Sockets } from './sockets.ts';

/** Why the driver can't run here, for people; undefined where it can. Takes some milliseconds. */
export function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'io_uring is of Linux alone';
  if (!kernel.knownArchitectures.includes(process.arch) || endianness() !== 'LE') {
    return `the uring driver does not know the architecture ${process.arch}`;
  }
  let libc: Libc;
  try {
    libc = loadLibc();
  } catch (error) {
    return withoutKoffi(error);
  }
  try {
    roundTrip(libc);
    return undefined;
  } catch (error) {
    return withoutRing(error);
  }
}

/** Throws where an operation does not do what it should. */
function roundTrip(libc: Libc): void {
  const ring = new Ring(libc, 8, 64);
  let buffers: Buffers | undefined;
  const open: number[] = [];
  try {
    buffers = new Buffers(libc, ring, few);
    new RoundTrip(libc, ring, buffers, open).run();
  } finally {
    for (const fd of open) libc.close(fd);
    ring.close();
    buffers?.unmap();
  }
}

class RoundTrip {
  readonly #libc: Libc;
  readonly #ring: Ring;
  readonly #buffers: Buffers;
  readonly #open: number[];
  readonly #results = new Map<number, { readonly result: number; readonly flags: number }>();

  constructor(libc: Libc, ring: Ring, buffers: Buffers, open: number[]) {
    this.#libc = libc;
    this.#ring = ring;
    this.#buffers = buffers;
    this.#open = open;
  }

  run(): void {
    const ring = this.#ring;
    const sockets = new Sockets(this.#libc);
    const listening = this.#opened('listen', sockets.listen(sockets.encode(loopback), false));
    const bound = sockets.encode(sockets.boundTo(listening));
    const client = this.#opened('socket', sockets.open(bound));

    sockets.unblock(listening);
    ring.waitUntilReadable(listening, step.accept, 0);
    ring.connect(client, bound, step.connect, 0);
    this.#wait('connect', step.connect);
    this.#wait('poll', step.accept);
    const server = this.#opened('accept', sockets.acceptNow(listening));

    ring.receiveMany(server, smallGroup, 2 * message, step.receiveMany, 0);
    // The last buffer of all was given to nobody yet: its bytes are zeros.
    ring.send(client, this.#buffers.addressOf(lastSmall), message, false, step.send, 0);
    this.#wait('send', step.send);
    const chunk = this.#filled('multishot recv', step.receiveMany, smallGroup);

    ring.receive(client, largeGroup, step.receive, 0);
    ring.send(server, this.#buffers.addressOf(chunk), message, false, step.answer, 0);
    this.#wait('send', step.answer);
    this.#filled('recv', step.receive, largeGroup);

    ring.cancel(step.cancel, 0, step.receiveMany, 0);
    this.#wait('cancel', step.cancel);
    this.#expectCancelled('multishot recv', step.receiveMany);
    ring.waitUntilReadable(listening, step.accept, 0);
    ring.cancelAll(listening, step.cancelAll, 0);
    this.#wait('cancel of all', step.cancelAll);
    this.#expectCancelled('poll', step.accept);
    this.#closes(server, client);
    this.#wakes();
  }

  /** The other end hears of it. */
  #closes(closed: number, other: number): void {
    this.#open.splice(this.#open.indexOf(closed), 1);
    this.#ring.closeDescriptor(closed);
    this.#ring.receive(other, smallGroup, step.fin, 0);
    if (this.#wait('recv', step.fin).result !== 0) throw new Error('close lost FIN');
  }

  /** The driver's thread sleeps in the ring until the control plane writes to an eventfd. */
  #wakes(): void {
    const wake = this.#opened('eventfd', this.#libc.eventfd(0, eventfdFlags));
    this.#ring.waitUntilReadable(wake, step.wake, 0);
    this.#ring.enter(0);
    writeSync(wake, one);
    this.#wait('poll', step.wake);
  }

  #opened(what: string, fd: number): number {
    if (fd < 0) throw systemError(what, -fd);
    this.#open.push(fd);
    return fd;
  }

  #filled(what: string, of: number, group: typeof smallGroup | typeof largeGroup): Chunk {
    const { result, flags } = this.#wait(what, of);
    if (result !== message || (flags & kernel.IORING_CQE_F_BUFFER) === 0)
      throw new Error(`${what} lost bytes`);
    return this.#buffers.take(group, flags >>> kernel.IORING_CQE_BUFFER_SHIFT);
  }

  #expectCancelled(what: string, of: number): void {
    for (;;) {
      const completed = this.#completion(of);
      if (completed === undefined) throw new Error(`${what} can't be cancelled`);
      if ((completed.flags & kernel.IORING_CQE_F_MORE) === 0) return;
    }
  }

  #wait(what: string, of: number): { readonly result: number; readonly flags: number } {
    const completed = this.#completion(of);
    if (completed === undefined) throw new Error(`${what} did not complete`);
    if (completed.result < 0) throw systemError(what, -completed.result);
    return completed;
  }

  #completion(of: number): { readonly result: number; readonly flags: number } | undefined {
    const endMs = performance.now() + waitMs;
    while (!this.#results.has(of) && performance.now() < endMs) {
      this.#ring.enter(waitMs);
      this.#ring.reap((low, _high, result, flags) => this.#results.set(low, { result, flags }));
    }
    const completed = this.#results.get(of);
    this.#results.delete(of);
    return completed;
  }
}

const loopback = { host: '127.0.0.1', port: 0 };
const message = 16;
const few = { small: 4, large: 1, reserve: 1, cells: 1 };
const lastSmall: Chunk = 3;
const waitMs = 1_000;
const eventfdFlags = kernel.EFD_CLOEXEC | kernel.EFD_NONBLOCK;
/** What an eventfd takes: a number in eight bytes. */
const one = new Uint8Array(new BigUint64Array([1n]).buffer);

const step = {
  accept: 1,
  connect: 2,
  receiveMany: 3,
  send: 4,
  receive: 5,
  answer: 6,
  cancel: 7,
  cancelAll: 8,
  wake: 9,
  fin: 10,
} as const;
