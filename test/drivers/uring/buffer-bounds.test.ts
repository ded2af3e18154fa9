import fc from 'fast-check';
import { expect, it } from 'vitest';
import { boundsOf, largeBytes, smallBytes } from '../../../src/drivers/uring/buffers.ts';
import { cellBytes } from '../../../src/drivers/uring/cells.ts';

const mebibytes = 1024 * 1024;

it('The buffers of a worker take all that it may hold, but for a large one at most, and no more', () => {
  fc.assert(
    fc.property(fc.integer({ min: mebibytes, max: 16_384 * mebibytes }), (bytes) => {
      const { small, large, reserve, cells } = boundsOf(bytes);
      const shared = (small + reserve) * smallBytes + large * largeBytes + cells * cellBytes;
      expect(shared).toBeLessThanOrEqual(bytes);
      expect(bytes - shared).toBeLessThan(largeBytes + smallBytes);
    }),
  );
});

it('The buffers of a worker for streams have a sixteenth of what it may hold by default', () => {
  for (const megabytes of [8, 128, 384])
    expect(boundsOf(megabytes * mebibytes).large).toBe(Math.floor(megabytes / 16));
});
