/** What is held of a client, in real buffers that no kernel fills: the bytes against a plain array. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Buffers, smallBytes, smallGroup } from '../../../src/drivers/uring/buffers.ts';
import { ByteQueue } from '../../../src/drivers/uring/byte-queue.ts';
import { Inspection } from '../../../src/drivers/uring/inspection.ts';
import { loadLibc } from '../../../src/drivers/uring/libc.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { Ring } from '../../../src/drivers/uring/ring.ts';

const few = { small: 64, large: 2, reserve: 2, cells: 0 };

const happening = fc.oneof(
  fc.record({ kind: fc.constant('hold' as const), bytes: fc.integer({ min: 1, max: smallBytes }) }),
  fc.record({ kind: fc.constant('hold' as const), bytes: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('discard' as const), bytes: fc.nat(2 * smallBytes) }),
  fc.record({ kind: fc.constant('show' as const), bytes: fc.nat(3 * smallBytes) }),
);

describe.skipIf(whyNot() !== undefined)('Held bytes', () => {
  it('are shown from the first that was not discarded, and none is lost, in few buffers', () => {
    const libc = loadLibc();
    const ring = new Ring(libc, 8, 16);
    const buffers = new Buffers(libc, ring, few);
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const held = new ByteQueue();
        const inspection = new Inspection();
        let model = new Uint8Array(0);
        let seed = 0;
        for (const { kind, bytes } of happenings) {
          if (kind === 'hold' && model.length < 64 * 1024) {
            const portion = Uint8Array.from({ length: bytes }, () => (seed = (seed * 31 + 7) % 251));
            received(held, buffers, portion);
            model = Uint8Array.from([...model, ...portion]);
          } else if (kind === 'discard') {
            held.discard(bytes, buffers);
            inspection.discarded();
            model = model.slice(bytes);
          } else if (kind === 'show') {
            inspection.ask(bytes);
            const shown = inspection.answer(held, buffers);
            expect(shown === undefined).toBe(model.length <= bytes);
            if (shown !== undefined) expect(Buffer.compare(shown, model)).toBe(0);
            expect(inspection.answer(held, buffers)).toBeUndefined();
          }
          expect(held.bytes).toBe(model.length);
          expect(buffers.inUse).toBe(held.count);
          // Two neighbours would fit into one buffer otherwise.
          expect(held.count).toBeLessThan(2 * (model.length / smallBytes) + 3);
        }
        const all = new Uint8Array(model.length);
        held.copyInto(all, 0, buffers);
        expect(Buffer.compare(all, model)).toBe(0);
        while (!held.isEmpty) held.drop(buffers);
        expect([held.bytes, held.count, buffers.inUse]).toEqual([0, 0, 0]);
      }),
      { numRuns: 200 },
    );
    ring.close();
    buffers.unmap();
  });

  it('of many clients that speak in turns are copied into one piece of memory, each whole', () => {
    const libc = loadLibc();
    const ring = new Ring(libc, 8, 16);
    const buffers = new Buffers(libc, ring, few);
    const clients = Array.from({ length: 10 }, (_, number) => ({
      held: new ByteQueue(),
      inspection: new Inspection(),
      said: new Uint8Array(smallBytes).fill(number),
    }));
    const pieces = new Set<ArrayBufferLike>();
    for (let turn = 1; turn <= 3; turn++) {
      for (const { held, inspection, said } of clients) {
        received(
          held,
          buffers,
          said,
          clients.map((client) => client.held),
        );
        inspection.ask(0);
        const shown = inspection.answer(held, buffers);
        expect(shown && Buffer.compare(shown, Buffer.concat(Array(turn).fill(said)))).toBe(0);
        if (shown !== undefined && turn > 1) pieces.add(shown.buffer);
      }
    }
    // It has grown once at most.
    expect(pieces.size).toBeLessThan(3);
    for (const { held } of clients) held.clear(buffers);
    ring.close();
    buffers.unmap();
  });
});

/** As if the kernel had filled a buffer that is free of these queues, of which `held` is one. */
function received(held: ByteQueue, buffers: Buffers, bytes: Uint8Array, queues = [held]): void {
  const taken = new Set<number>();
  for (const { first } of queues)
    for (let chunk = first; chunk >= 0; chunk = buffers.next[chunk] ?? -1) taken.add(chunk);
  let id = 0;
  while (taken.has(id)) id++;
  const chunk = buffers.take(smallGroup, id);
  buffers.starts[chunk] = 0;
  buffers.lengths[chunk] = bytes.length;
  buffers.view(chunk, 0).set(bytes);
  held.hold(chunk, bytes.length, buffers);
}
