/** A ring and two sockets that are connected, with nothing of the driver around them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Buffers, smallGroup, smallReceivedBytes } from '../../../src/drivers/uring/buffers.ts';
import * as kernel from '../../../src/drivers/uring/kernel.ts';
import { type Libc, loadLibc } from '../../../src/drivers/uring/libc.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { Ring } from '../../../src/drivers/uring/ring.ts';
import { Sockets } from '../../../src/drivers/uring/sockets.ts';

const messageBytes = 16;
const entries = 8;

describe.skipIf(whyNot() !== undefined)('Ring', () => {
  let libc: Libc;
  let ring: Ring;
  let buffers: Buffers;
  let sockets: Sockets;
  let sender: number;
  let receiver: number;

  beforeEach(() => {
    libc = loadLibc();
    ring = new Ring(libc, entries, 16);
    buffers = new Buffers(libc, ring, { small: 2, large: 2, reserve: 2, cells: 0 });
    sockets = new Sockets(libc);
    const listening = sockets.listen(sockets.encode({ host: '127.0.0.1', port: 0 }), false);
    const address = sockets.encode(sockets.boundTo(listening));
    receiver = sockets.open(address);
    expect(libc.connect(receiver, address, address.length)).toBe(0);
    sender = sockets.acceptNow(listening);
    expect(sender).toBeGreaterThan(0);
    libc.fcntl(receiver, kernel.F_SETFL, kernel.O_NONBLOCK);
    sockets.close(listening);
  });

  afterEach(() => {
    sockets.close(sender);
    sockets.close(receiver);
    ring.close();
    buffers.unmap();
  });

  const send = () => ring.send(sender, buffers.addressOf(0), messageBytes, false, 1, 0);

  function completed(): number {
    const results: number[] = [];
    ring.enter(1_000);
    ring.reap((_low, _high, result) => results.push(result));
    expect(results).toHaveLength(1);
    return results[0] ?? 0;
  }

  /** How many bytes have come: 0 says FIN, -1 nothing. Over loopback what is sent has come when the call returns. */
  const come = () => libc.read(receiver, new Uint8Array(256), 256);

  it('keeps the end of a send, which may have become longer, for the FIN that follows it', () => {
    const last = send();
    expect(ring.isPending(last)).toBe(true);
    ring.finFollows(last, messageBytes + 1);
    expect(completed()).toBe(messageBytes + 1);
    expect(come()).toBe(-1);
    sockets.finish(sender);
    expect(come()).toBe(messageBytes + 1);
    expect(come()).toBe(0);
  });

  it('has closed a socket when it was entered, and says nothing of it', () => {
    ring.closeDescriptor(sender);
    expect(come()).toBe(-1);
    ring.enter(0);
    expect(come()).toBe(0);
    expect(ring.reap(() => {})).toBe(0);
    sender = -1;
  });

  it('says that a socket was not open which it was to close', () => {
    ring.closeDescriptor(sender);
    ring.closeDescriptor(sender);
    expect(completed()).toBe(-kernel.EBADF);
    sender = -1;
  });

  it('does not take a send for pending whose place belongs to a later one', () => {
    const earlier = send();
    expect(completed()).toBe(messageBytes);
    for (let others = 1; others < entries; others++) {
      send();
      completed();
    }
    const later = send();
    expect([ring.isPending(earlier), ring.isPending(later)]).toEqual([false, true]);
    completed();
    expect(ring.isPending(later)).toBe(false);
  });

  it('ends a receive that goes on once it has brought enough, though there is more, and room for it', (context) => {
    if (!ring.limitsReceives) return context.skip('This kernel knows no such limit');
    const bytes = 2 * smallReceivedBytes;
    expect(libc.send(sender, new Uint8Array(bytes), bytes, 0)).toBe(bytes);
    ring.receiveMany(receiver, smallGroup, 1, 2, 0);
    const received: { result: number; goesOn: boolean }[] = [];
    ring.enter(1_000);
    ring.reap((_low, _high, result, flags) =>
      received.push({ result, goesOn: (flags & kernel.IORING_CQE_F_MORE) !== 0 }),
    );
    expect(received).toEqual([{ result: smallReceivedBytes, goesOn: false }]);
  });

  it.each([
    ['no memory is left', [kernel.EAGAIN]],
    ['completions must be taken first', [kernel.EBUSY]],
    ['a collection has overwritten the reason', [0]],
    ['a collection has overwritten it with another one', [kernel.EAGAIN, kernel.EAGAIN, kernel.EPERM]],
  ])('goes on where the kernel takes nothing for a while: %s', (_, errnos) => {
    let refusals = 0;
    const reluctant = new Ring(
      {
        ...libc,
        syscall: (number, ...rest) =>
          number === kernel.SYS_io_uring_enter && refusals-- > 0 ? -1 : libc.syscall(number, ...rest),
        errno: () => errnos[refusals % errnos.length] ?? 0,
      },
      entries,
      16,
    );
    refusals = 20;
    let completed = 0;
    // More than there are entries: in the middle of it the kernel must be asked to take some.
    for (let operation = 0; operation < 2 * entries; operation++) reluctant.waitUntilReadable(receiver, 1, 0);
    libc.send(sender, new Uint8Array(1), 1, 0);
    for (let turn = 0; turn < 40 && completed < 2 * entries; turn++) {
      reluctant.enter(10);
      reluctant.reap(() => completed++);
    }
    expect([refusals < 0, completed]).toEqual([true, 2 * entries]);
    reluctant.close();
  });
});
